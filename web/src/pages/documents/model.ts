// What the documents' pages know of the API, and where its things have their pages.
import { api, segment } from "../../api";
import type { Schemas } from "../../api";

export type Summary = Schemas["DocumentSummary"];
export type Document = Schemas["StoredDocument"];
export type Job = Schemas["Job"];
export type Collection = Schemas["StoredCollection"];
type DocumentPage = Schemas["DocumentPage"];

export const PER_PAGE = 20;

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
}

function page(asked: Asked, signal: AbortSignal): Promise<DocumentPage> {
    const title = asked.text.trim();
    const which = { page: asked.page, per_page: PER_PAGE, ...(title ? { title } : {}), ...(asked.collection ? { collection: asked.collection } : {}) };
    if (!asked.sort) return api.get("/api/documents", { query: which, signal });
    return api.post("/api/documents/query", { ...which, sort: asked.sort }, { signal });
}

export async function find(asked: Asked, signal: AbortSignal): Promise<Found> {
    const { documents, pagination } = await page(asked, signal);
    return { documents, page: pagination.page, pages: pagination.total_pages, total: pagination.total_count };
}

/** The first hundred: what one chooses from. */
export async function collections(signal: AbortSignal): Promise<Collection[]> {
    return (await api.get<Schemas["CollectionPage"]>("/api/collections", { query: { per_page: 100 }, signal })).collections;
}
