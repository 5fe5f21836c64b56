// What the graph answers, and how it is said to people.
import { api, segment } from "../../api";
import type { Schemas } from "../../api";

export type Schema = Schemas["GraphSchema"];
export type Node = Schemas["GraphNode"];
export type Edge = Schemas["GraphEdge"];
export type Detail = Schemas["GraphNodeDetail"];
export type Rows = Schemas["GraphRows"];

/** The properties that name a node, the first that is there: as the search by name does. */
const names = ["name", "title", "label", "term"];

function isPlain(value: unknown): value is string | number | boolean {
    return ["string", "number", "boolean"].includes(typeof value);
}

export function nameOf(node: { id: string; properties: object }, property = ""): string {
    const properties = node.properties as Record<string, unknown>;
    for (const name of property ? [property, ...names] : names) {
        const value = properties[name];
        if (isPlain(value) && value !== "") return String(value);
    }
    return node.id;
}

/** A value of a property as one line of text. */
export function textOf(value: unknown): string {
    if (value === null || value === undefined) return "–";
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return value.map(textOf).join(", ");
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What else is known of a node, in one short line: tells nodes of the same name apart. Prose
 * first, such as a definition; then plain values; then the id. */
export function aboutOf(node: { id: string; properties: object }): string {
    const name = nameOf(node);
    const rest = Object.values(node.properties).filter((value) => isPlain(value) && value !== "" && String(value) !== name).map(String);
    const prose = rest.find((value) => value.includes(" "));
    return (prose ?? (rest.slice(0, 3).join(" · ") || (node.id === name ? "" : node.id))).slice(0, 200);
}

export const nodePath = (id: string) => "/graph/nodes/" + segment(id);
export const labelPath = (label: string) => "/graph/labels/" + segment(label);
export const picturePath = (id: string) => "/graph/picture?s=" + encodeURIComponent(stepText("expand", [id, "", "both", "50"]));

/** A step of a picture as it stands in the address: see picture/view.ts. */
export function stepText(kind: string, parts: readonly string[]): string {
    return [kind, ...parts.map(encodeURIComponent)].join("~");
}

export function query(text: string, parameters: Record<string, unknown>, signal: AbortSignal): Promise<Rows> {
    return api.post<Rows>("/api/graph/query", { query: text, parameters, max_rows: 1000 }, { signal });
}

// --- the schema as a picture

export interface Link {
    from: string;
    to: string;
    types: string[];
}

/** What joins which labels. Types that start or end at several labels are asked for in
 * openCypher; where that is not answered, every start may lead to every end. */
export async function linksOf(schema: Schema, signal: AbortSignal): Promise<Link[]> {
    const pairs = new Map<string, Link>();
    const add = (from: string, to: string, type: string) => {
        const key = JSON.stringify([from, to]);
        const link = pairs.get(key) ?? { from, to, types: [] };
        if (!link.types.includes(type)) link.types.push(type);
        pairs.set(key, link);
    };
    const sure = schema.relationship_types.every((one) => one.from_labels.length <= 1 || one.to_labels.length <= 1);
    const seen = sure ? null : await visualization(signal).catch((fault: unknown) => {
        if (signal.aborted) throw fault;
        return null;
    });
    if (seen) for (const [from, to, type] of seen) add(from, to, type);
    else
        for (const one of schema.relationship_types)
            for (const from of one.from_labels) for (const to of one.to_labels) add(from, to, one.name);
    return [...pairs.values()];
}

async function visualization(signal: AbortSignal): Promise<[string, string, string][]> {
    const rows = await query("CALL db.schema.visualization()", {}, signal);
    const [nodes, edges] = (rows.rows[0] ?? [[], []]) as [Node[], Edge[]];
    const labels = new Map(nodes.map((node) => [node.id, node.labels[0] ?? nameOf(node)]));
    return edges.map((edge) => [labels.get(edge.from) ?? "", labels.get(edge.to) ?? "", edge.type]);
}

// --- colours

export const COLOURS = 6;

/** Which of the chart's colours a label has: by its place among all names, so that it is
 * the same on every page. */
export function colourOf(label: string, labels: readonly string[]): number {
    const at = labels.indexOf(label);
    return (at < 0 ? 0 : at) % COLOURS;
}

export function labelNames(schema: Schema | null): string[] {
    return (schema?.labels ?? []).map((one) => one.name).sort();
}
