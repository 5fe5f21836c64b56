// A search as it stands in the address, and as the API is asked.
import { api } from "../../api";
import type { Schemas } from "../../api";
import { KEPT_SEARCHES } from "../../session";
import type { Me } from "../../session";

export type Answer = Schemas["SearchAnswer"];
export type Result = Schemas["SearchResult"];

export const modes = [
    { value: "hybrid", text: "Both" },
    { value: "text", text: "Words" },
    { value: "vector", text: "Meaning" },
] as const;

export const PER_PAGE = 10;
const WINDOW = 50; // the best of them are counted by facet

export interface Search {
    q: string;
    mode: string;
    page: number;
    why: boolean;
    collection: string;
    facets: Record<string, string>; // by name of the member
}

export function readSearch(query: URLSearchParams): Search {
    const mode = query.get("mode") ?? "hybrid";
    const facets: Record<string, string> = {};
    for (const [name, value] of query) if (name.startsWith("f.") && value) facets[name.slice(2)] = value;
    return {
        q: (query.get("q") ?? "").trim(),
        mode: modes.some((one) => one.value === mode) ? mode : "hybrid",
        page: Math.max(1, Math.min(9999, Number.parseInt(query.get("page") ?? "1", 10) || 1)),
        why: query.get("why") === "1",
        collection: query.get("collection") ?? "",
        facets,
    };
}

/** How many results one may be given at once. */
export function windowOf(me: Me | null): number {
    return Math.min(WINDOW, me?.max_results ?? PER_PAGE);
}

type Filters = Record<string, unknown>;

// what the API knows by name; all else is found in the metadata
const known = new Set(["department", "campus", "clearance_level"]);

function valueOf(text: string): string | number {
    return /^-?\d{1,9}$/.test(text) ? Number(text) : text;
}

export function filtersOf(search: Search): Filters {
    const filters: Filters = {};
    const metadata: Filters = {};
    if (search.collection) filters["collection"] = search.collection;
    for (const [name, value] of Object.entries(search.facets)) {
        if (known.has(name)) filters[name] = name === "clearance_level" ? Number(value) : value;
        else metadata[name] = { any: typeof valueOf(value) === "number" ? [valueOf(value)] : [value] };
    }
    if (Object.keys(metadata).length > 0) filters["metadata"] = metadata;
    return filters;
}

export function isFiltered(search: Search): boolean {
    return search.collection !== "" || Object.keys(search.facets).length > 0;
}

export function ask(
    me: Me | null,
    query: string,
    config: Record<string, unknown>,
    filters: Filters,
    signal: AbortSignal,
): Promise<Answer> {
    // where nobody signs in a search says itself who it is for: who operates the machine
    const user = me?.trusted ? { user_id: me.user_id, username: me.username, role: me.role } : undefined;
    return api.post<Answer>("/api/search", { query, config, filters, ...(user ? { user } : {}) }, { signal });
}

/** What could be meant by the same words: other documents' passages. */
export async function similar(me: Me | null, result: Result, signal: AbortSignal): Promise<Result[]> {
    const text = result.text.slice(0, 1900);
    const filters = { none: [{ document_id: result.document_id }] };
    const answer = await ask(me, text, { mode: "vector", max_results: 5, highlight: false, expand: false }, filters, signal);
    return answer.results;
}

// --- facets

export interface Facet {
    name: string;
    title: string;
    values: { value: string; count: number }[];
}

const titles: Record<string, string> = {
    department: "Department",
    campus: "Campus",
    language: "Language",
    priority: "Priority",
    clearance_level: "Clearance",
};

function title(name: string): string {
    return titles[name] ?? name.replace(/[_.]/g, " ").replace(/^./, (c) => c.toUpperCase());
}

/** The members of the results' metadata that have few values, with how many have each. */
export function facetsOf(results: readonly Result[], chosen: Record<string, string>): Facet[] {
    const counts = new Map<string, Map<string, number>>();
    for (const result of results)
        for (const [name, value] of Object.entries(result.metadata as Record<string, unknown>))
            for (const one of Array.isArray(value) ? value : [value]) {
                if (typeof one !== "string" && !Number.isInteger(one)) continue;
                const text = String(one);
                if (text === "" || text.length > 60) continue;
                const values = counts.get(name) ?? new Map<string, number>();
                values.set(text, (values.get(text) ?? 0) + 1);
                counts.set(name, values);
            }
    for (const [name, value] of Object.entries(chosen)) {
        const values = counts.get(name) ?? new Map<string, number>();
        if (!values.has(value)) values.set(value, 0);
        counts.set(name, values);
    }
    const order = Object.keys(titles);
    const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
    return [...counts]
        .filter(([name, values]) => name in chosen || (values.size > 1 && values.size <= 12))
        .sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b))
        .slice(0, 6)
        .map(([name, values]) => ({
            name,
            title: title(name),
            values: [...values]
                .map(([value, count]) => ({ value, count }))
                .sort((a, b) => b.count - a.count || a.value.localeCompare(b.value))
                .slice(0, 8),
        }));
}

// --- what was searched lately: by this user, in this browser, until they sign out

let owner = "";

/** Whose searches they are; "": a visitor's, which are not kept. */
export function ownedBy(user: string): void {
    owner = user;
}

function key(): string {
    return KEPT_SEARCHES + owner;
}

export function recent(): string[] {
    if (!owner) return [];
    try {
        const kept: unknown = JSON.parse(localStorage.getItem(key()) ?? "[]");
        return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string").slice(0, 8) : [];
    } catch {
        return [];
    }
}

export function remember(query: string): void {
    if (!owner) return;
    try {
        const list = [query, ...recent().filter((one) => one !== query)].slice(0, 8);
        localStorage.setItem(key(), JSON.stringify(list));
    } catch {
        // nothing is kept then
    }
}

export function forget(): void {
    try {
        localStorage.removeItem(key());
    } catch {
        // there is nothing to forget
    }
}
