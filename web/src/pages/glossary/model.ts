// What the glossary's pages know of entries, their status and their relations.
import type { Schemas } from "../../api";
import { segment } from "../../api";

export type Term = Omit<Schemas["GlossaryTerm"], "metadata"> & { metadata: Record<string, unknown> };
export interface TermPage {
    entries: Term[];
    pagination: Schemas["Pagination"];
    degraded?: string[];
}
export type Relation = Schemas["GlossaryRelations"]["relations"][number];
export interface Context {
    document_id: string;
    title: string;
    before: string;
    form: string;
    after: string;
}
export type Candidate = Omit<Schemas["GlossaryCandidates"]["candidates"][number], "contexts"> & { contexts: Context[] };
export interface CandidatePage {
    candidates: Candidate[];
    pagination: Schemas["Pagination"];
}

export type Status = "draft" | "validated" | "deprecated";
export const statuses: readonly Status[] = ["draft", "validated", "deprecated"];
export const statusKind: Record<string, "ok" | "warn" | "plain"> = { draft: "warn", validated: "ok", deprecated: "plain" };

/** The steps that there are; both go back. */
export const steps: Record<string, readonly { to: Status; text: string }[]> = {
    draft: [{ to: "validated", text: "Validate" }],
    validated: [
        { to: "deprecated", text: "Deprecate" },
        { to: "draft", text: "Back to draft" },
    ],
    deprecated: [{ to: "validated", text: "Validate again" }],
};

export const relationTypes = ["SYNONYM_OF", "TRANSLATION_OF", "BROADER", "NARROWER", "RELATED", "ABBREVIATION_OF"] as const;

/** The headings under which the other terms stand. */
export function groupOf(relation: Pick<Relation, "type" | "direction">): string {
    switch (relation.type) {
        case "SYNONYM_OF":
            return "Synonyms";
        case "TRANSLATION_OF":
            return "Translations";
        case "BROADER":
            return "Broader terms";
        case "NARROWER":
            return "Narrower terms";
        case "RELATED":
            return "Related terms";
        case "ABBREVIATION_OF":
            return relation.direction === "in" ? "Abbreviations" : "Short for";
        default:
            return relation.type;
    }
}

export const groups = ["Synonyms", "Translations", "Short for", "Abbreviations", "Broader terms", "Narrower terms", "Related terms"];

export const relationWords: Record<(typeof relationTypes)[number], string> = {
    SYNONYM_OF: "means the same as",
    TRANSLATION_OF: "is a translation of",
    BROADER: "has the broader term",
    NARROWER: "has the narrower term",
    RELATED: "is related to",
    ABBREVIATION_OF: "is short for",
};

export function termPath(id: string, more = ""): string {
    return `/glossary/terms/${segment(id)}${more}`;
}

export function termUrl(id: string, more = ""): string {
    return `/api/glossary/${segment(id)}${more}`;
}

const names = new Intl.DisplayNames(["en"], { type: "language" });

/** "German" for "de"; what nobody knows stays as it is. */
export function languageName(code: string): string {
    try {
        return names.of(code) ?? code;
    } catch {
        return code;
    }
}

/** Several words of `metadata` ("synonyms"), whether they are a list or one. */
export function wordsOf(value: unknown): string[] {
    if (typeof value === "string") return value ? [value] : [];
    return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string" && one !== "") : [];
}

/** What a PUT takes of an entry: what is its own, without what is empty. */
export function bodyOf(term: Term): Record<string, unknown> {
    const { id, term: name, definition, language, domain, part_of_speech, source, sense, department, status, clearance_level, metadata } = term;
    const all = { id, term: name, definition, language, domain, part_of_speech, source, sense, department, status, clearance_level, metadata };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined && value !== ""));
}

/** Who may write it: drafts with one right, what is validated with another. */
export function mayWrite(term: Pick<Term, "status">, may: (permission: string) => boolean): boolean {
    return may("write_glossary") && (term.status === "draft" || may("validate_glossary"));
}

export function pageOf(query: URLSearchParams): number {
    return Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
}
