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
const VALUES = 8; // of a facet

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

type Filters = Record<string, unknown>;

// what the API knows by name; all else is found in the metadata
const known = new Set(["department", "campus", "clearance_level"]);

/** What an address holds as text may be a number or a truth in the metadata. */
function anyOf(text: string): unknown[] {
    if (/^-?\d{1,9}(\.\d{1,9})?$/.test(text)) return [Number(text), text];
    return text === "true" || text === "false" ? [text === "true", text] : [text];
}

export function filtersOf(search: Search): Filters {
    const filters: Filters = {};
    const metadata: Filters = {};
    if (search.collection) filters["collection"] = search.collection;
    for (const [name, value] of Object.entries(search.facets)) {
        if (known.has(name)) filters[name] = name === "clearance_level" ? Number(value) : value;
        else metadata[name] = { any: anyOf(value) };
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
    facets?: { fields?: string[]; values?: number },
): Promise<Answer> {
    // where nobody signs in a search says itself who it is for: who operates the machine
    const user = me?.trusted ? { user_id: me.user_id, username: me.username, role: me.role } : undefined;
    return api.post<Answer>("/api/search", { query, config, filters, ...(facets ? { facets } : {}), ...(user ? { user } : {}) }, { signal });
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

type Counted = NonNullable<Answer["facets"]>["fields"][number];

/** What matches, by what divides it. */
export const byAll = { values: VALUES };

/** The values of each chosen filter as they would be without it: what else to choose. */
export async function alternatives(me: Me | null, search: Search, signal: AbortSignal): Promise<Counted[]> {
    const answers = await Promise.all(
        Object.keys(search.facets).map((name) => {
            const { [name]: _, ...others } = search.facets;
            const config = { mode: search.mode, max_results: 1, highlight: false };
            return ask(me, search.q, config, filtersOf({ ...search, facets: others }), signal, { fields: [name], values: VALUES });
        }),
    );
    return answers.flatMap((answer) => answer.facets?.fields ?? []);
}

function isTime(value: unknown): boolean {
    return typeof value === "string" && /^\d{4}-\d{2}-\d{2}/.test(value);
}

/** Measured rather than named: few passages share such a value, so it divides nothing. */
function isMeasure({ distinct, values }: Counted): boolean {
    if (values.length === 0 || !values.every(({ value }) => typeof value === "number")) return false;
    const passages = values.reduce((sum, one) => sum + one.count, 0);
    return values.some(({ value }) => !Number.isInteger(value)) || (distinct > 4 && passages < 2 * values.length);
}

function isOffered(one: Counted): boolean {
    return one.field !== "collection" && one.distinct <= 12 && !isMeasure(one) && !one.values.some((some) => isTime(some.value));
}

/** What is offered: by a few values each, and whatever is chosen. */
export function facetsOf(counted: readonly Counted[], chosen: Record<string, string>, others: readonly Counted[]): Facet[] {
    const order = Object.keys(titles);
    const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
    const list = counted.filter((one) => !(one.field in chosen) && isOffered(one)).slice(0, 6);
    const mine = Object.entries(chosen).map(([name, value]) => {
        const values = others.find((one) => one.field === name)?.values ?? [];
        const there = values.some((one) => String(one.value) === value);
        return { field: name, values: there ? values : [...values, { value, count: 0 }] };
    });
    return [...mine, ...list]
        .sort((a, b) => place(a.field) - place(b.field) || a.field.localeCompare(b.field))
        .map((one) => ({
            name: one.field,
            title: title(one.field),
            values: one.values.filter(({ value }) => value !== "").map(({ value, count }) => ({ value: String(value), count })),
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
