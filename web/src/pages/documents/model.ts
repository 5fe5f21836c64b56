// What the documents' pages know of the API, and where its things have their pages.
import { api, segment } from "../../api";
import type { Schemas } from "../../api";

export type Summary = Schemas["DocumentSummary"];
export type Document = Schemas["StoredDocument"];
export type Job = Schemas["Job"];
export type Collection = Schemas["StoredCollection"];
type DocumentPage = Schemas["DocumentPage"];

export const PER_PAGE = 20;
const SCAN_PAGE = 100; // the most that one request gives
export const SCAN_MOST = 2000; // documents whose titles are looked through

export function documentPath(id: string): string {
    return "/documents/" + segment(id);
}

export function titleOf(document: { title: string; document_id: string }): string {
    return document.title || document.document_id;
}

/** A member of the metadata as text; "" without it. */
export function said(metadata: object, name: string): string {
    const value = (metadata as Record<string, unknown>)[name];
    return value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

export interface Asked {
    page: number;
    collection: string;
    text: string; // in the title
    sort: string; // "": the newest first
}

export interface Found {
    documents: Summary[];
    page: number;
    pages: number;
    total: number;
    looked: number | null; // titles that were looked through; null: all there are
}

function plain(text: string): string {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function page(asked: Asked, number: number, perPage: number, signal: AbortSignal): Promise<DocumentPage> {
    const query = { page: number, per_page: perPage, collection: asked.collection };
    if (!asked.sort) return api.get("/api/documents", { query, signal });
    const body = { page: number, per_page: perPage, sort: asked.sort, ...(asked.collection ? { collection: asked.collection } : {}) };
    return api.post("/api/documents/query", body, { signal });
}

/** The API has no filter for a part of a title: the titles are looked through here. */
async function byTitle(asked: Asked, signal: AbortSignal): Promise<Found> {
    const words = plain(asked.text).split(/\s+/).filter(Boolean);
    const fits: Summary[] = [];
    let looked = 0;
    let more = true;
    for (let number = 1; more && looked < SCAN_MOST; number++) {
        const part = await page(asked, number, SCAN_PAGE, signal);
        looked += part.documents.length;
        more = part.pagination.has_next;
        fits.push(...part.documents.filter((one) => {
            const title = plain(`${one.title} ${one.document_id}`);
            return words.every((word) => title.includes(word));
        }));
    }
    const pages = Math.max(1, Math.ceil(fits.length / PER_PAGE));
    const at = Math.min(asked.page, pages);
    return { documents: fits.slice((at - 1) * PER_PAGE, at * PER_PAGE), page: at, pages, total: fits.length, looked: more ? looked : null };
}

export async function find(asked: Asked, signal: AbortSignal): Promise<Found> {
    if (asked.text.trim()) return byTitle(asked, signal);
    const { documents, pagination } = await page(asked, asked.page, PER_PAGE, signal);
    return { documents, page: pagination.page, pages: pagination.total_pages, total: pagination.total_count, looked: null };
}

/** The first hundred: what one chooses from. */
export async function collections(signal: AbortSignal): Promise<Collection[]> {
    return (await api.get<Schemas["CollectionPage"]>("/api/collections", { query: { per_page: 100 }, signal })).collections;
}
