// A copy of a document, from before it was deleted, so that it can be stored again.
import { api, ApiError, request, segment } from "../../api";
import { asError } from "../../ui/hooks";
import type { Document } from "./model";

const MOST_BYTES = 32_000_000; // of an original that is kept in memory

export interface Copy {
    document: Document;
    file: File | null; // what it was made from
    lacksFile: boolean; // it had one, too large to be kept
}

function nameOf(answer: Response, id: string): string {
    const said = answer.headers.get("Content-Disposition") ?? "";
    const encoded = /filename\*=UTF-8''([^;]+)/i.exec(said)?.[1];
    try {
        if (encoded) return decodeURIComponent(encoded);
    } catch {
        // not escaped as it should be
    }
    return /filename="([^"]+)"/i.exec(said)?.[1] ?? id;
}

async function fileOf({ document_id: id, has_file }: Document): Promise<Pick<Copy, "file" | "lacksFile">> {
    if (!has_file) return { file: null, lacksFile: false };
    const address = `/api/documents/${segment(id)}/file`;
    try {
        const head = await request("HEAD", address, null);
        if (Number(head.headers.get("Content-Length") ?? 0) > MOST_BYTES) return { file: null, lacksFile: true };
        const answer = await request("GET", address, null);
        const type = answer.headers.get("Content-Type") ?? "";
        return { file: new File([await answer.blob()], nameOf(answer, id), { type }), lacksFile: false };
    } catch (fault) {
        if (asError(fault).status === 404) return { file: null, lacksFile: false }; // it was lost before: the text can come back
        throw fault;
    }
}

export async function copyOf(id: string): Promise<Copy> {
    const document = await api.get<Document>("/api/documents/" + segment(id));
    return { document, ...(await fileOf(document)) };
}

async function isThere(id: string): Promise<boolean> {
    try {
        await request("HEAD", "/api/documents/" + segment(id), null);
        return true;
    } catch (fault) {
        if (asError(fault).status === 404) return false;
        throw fault;
    }
}

/** Under the same id, with the same text, metadata and original. */
export async function storeAgain({ document, file }: Copy): Promise<void> {
    const { document_id: id, title, collection, metadata, sections } = document;
    if (await isThere(id)) throw new ApiError(409, "conflict", "Somebody has stored another document under its id since.");
    if (!file) {
        await api.post("/api/documents?refresh=true", { id, title: title || id, collection, metadata, sections });
        return;
    }
    const form = new FormData();
    for (const [name, value] of Object.entries({ id, title, collection })) if (value) form.set(name, value);
    form.set("metadata", JSON.stringify(metadata));
    form.set("file", file);
    await request("POST", "/api/documents?refresh=true", form);
}
