// A picture as it stands in the address: the steps by which it came about, which are done
// again when it is opened, so that everybody sees what they may see of it.
import { api, segment } from "../../../api";
import type { Schemas } from "../../../api";
import { counted } from "../../../ui/format";
import { nameOf, stepText } from "../model";
import type { Edge, Node } from "../model";

/** expand: id, type, direction, limit. within: id, depth, limit. path: from, to.
 * ways: from, to, the property that is a relationship's cost ("": each costs 1), how many. hide: id. */
export interface Step {
    kind: "expand" | "within" | "path" | "ways" | "hide";
    parts: string[];
    text: string; // as in the address
}

export interface View {
    steps: Step[];
    chosen: string; // a node's id, or ""
    colours: Record<string, number>; // 1 to 6, of labels that have another than their own
    captions: Record<string, string>; // of labels: the property that names their nodes
}

const sizes = { expand: 4, within: 3, path: 2, ways: 4, hide: 1 } as const;
const MOST_STEPS = 60;

function decode(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

function readStep(text: string): Step | null {
    const [kind = "", ...parts] = text.split("~");
    if (!(kind in sizes) || parts.length !== sizes[kind as Step["kind"]] || !parts[0]) return null;
    return { kind: kind as Step["kind"], parts: parts.map(decode), text };
}

export function step(kind: Step["kind"], ...parts: string[]): Step {
    return { kind, parts, text: stepText(kind, parts) };
}

export function readView(query: URLSearchParams): View {
    const view: View = { steps: [], chosen: query.get("at") ?? "", colours: {}, captions: {} };
    for (const [name, value] of query) {
        const one = name === "s" ? readStep(value) : null;
        if (one && view.steps.length < MOST_STEPS && !view.steps.some((other) => other.text === one.text)) view.steps.push(one);
        if (name.startsWith("c.") && /^[1-6]$/.test(value)) view.colours[name.slice(2)] = Number(value);
        if (name.startsWith("t.") && value) view.captions[name.slice(2)] = value;
    }
    return view;
}

export function viewPath(view: View): string {
    const query = new URLSearchParams();
    for (const one of view.steps) query.append("s", one.text);
    for (const [label, colour] of Object.entries(view.colours)) query.set("c." + label, String(colour));
    for (const [label, property] of Object.entries(view.captions)) if (property) query.set("t." + label, property);
    if (view.chosen) query.set("at", view.chosen);
    const text = query.toString();
    return "/graph/picture" + (text ? "?" + text : "");
}

// --- what a step brings

/** One of several ways from a node to another. */
export interface Way {
    key: string;
    text: string; // the nodes' names
    told: string; // its cost and length
    edges: string[]; // ids
}

export interface Part {
    nodes: Node[];
    edges: Edge[];
    note: string; // what is to be said about it
    ways?: Way[];
}

async function expand([id = "", type = "", direction = "both", limit = "50"]: string[], signal: AbortSignal): Promise<Part> {
    const [node, around] = await Promise.all([
        api.get<Schemas["GraphNodeDetail"]>(`/api/graph/nodes/${segment(id)}`, { signal }),
        api.get<Schemas["GraphNeighbors"]>(`/api/graph/nodes/${segment(id)}/neighbors`, { query: { type, direction, limit }, signal }),
    ]);
    const note = around.next_cursor ? `${nameOf(node)} is joined with more than the ${limit} that were taken.` : "";
    return { nodes: [node, ...around.nodes], edges: around.edges, note };
}

async function within([id = "", depth = "2", limit = "200"]: string[], signal: AbortSignal): Promise<Part> {
    const found = await api.get<Schemas["GraphSubgraph"]>("/api/graph/subgraph", { query: { root: id, depth, limit }, signal });
    return { nodes: found.nodes, edges: found.edges, note: found.truncated ? `There is more within ${depth} steps than the ${found.nodes.length} nodes that are shown.` : "" };
}

async function path([from = "", to = ""]: string[], signal: AbortSignal): Promise<Part> {
    const found = await api.get<Schemas["GraphPath"]>("/api/graph/path", { query: { from, to, max_depth: 12 }, signal });
    const none = found.truncated ? "No way was found before the search was given up." : "There is no way from one to the other that you may see.";
    const way = { key: `${from}~${to}`, text: namesOf(found.nodes), told: `the shortest, ${counted(found.length ?? 0, "step")}`, edges: found.edges.map((edge) => edge.id) };
    return { nodes: found.nodes, edges: found.edges, note: found.found ? "" : none, ways: found.found ? [way] : [] };
}

const namesOf = (nodes: readonly Node[]) => nodes.map((node) => nameOf(node)).join(" → ");
const costs = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

async function ways([from = "", to = "", weight = "", k = "1"]: string[], signal: AbortSignal): Promise<Part> {
    const found = await api.get<Schemas["GraphPath"]>("/api/graph/path", { query: { from, to, weight, k, max_depth: 12 }, signal });
    const routes = found.paths ?? (found.found ? [{ length: found.length ?? 0, cost: found.cost ?? 0, nodes: found.nodes, edges: found.edges }] : []);
    const told = (route: (typeof routes)[number]) => (weight ? `${weight} ${costs.format(route.cost)}, ` : "") + counted(route.length, "step");
    const left = found.unweighted_skipped ? ` Relationships without a number as ${weight} are no way.` : "";
    const none = found.truncated ? "No way was found before the search was given up." : "There is no such way that you may see.";
    return {
        nodes: routes.flatMap((route) => route.nodes),
        edges: routes.flatMap((route) => route.edges),
        note: (routes.length > 0 ? `${counted(routes.length, "way")}, the ${weight ? "cheapest" : "shortest"} first.` : none) + left,
        ways: routes.map((route, i) => ({
            key: [from, to, weight, k, i].join("~"),
            text: namesOf(route.nodes),
            told: told(route),
            edges: route.edges.map((edge) => edge.id),
        })),
    };
}

export async function load(one: Step, signal: AbortSignal): Promise<Part> {
    if (one.kind === "expand") return expand(one.parts, signal);
    if (one.kind === "within") return within(one.parts, signal);
    if (one.kind === "path") return path(one.parts, signal);
    if (one.kind === "ways") return ways(one.parts, signal);
    return { nodes: [], edges: [], note: "" };
}

export interface Contents {
    nodes: Node[];
    edges: Edge[];
    notes: string[];
    way: Set<string>; // ids of relationships on paths
    ways: Way[];
}

/** What all steps brought, without what was hidden after it. */
export function contentsOf(steps: readonly Step[], parts: ReadonlyMap<string, Part>): Contents {
    const nodes = new Map<string, Node>();
    const edges = new Map<string, Edge>();
    const way = new Set<string>();
    const notes: string[] = [];
    const ways: Way[] = [];
    for (const one of steps) {
        if (one.kind === "hide") nodes.delete(one.parts[0] ?? "");
        const part = parts.get(one.text);
        if (!part) continue;
        for (const node of part.nodes) nodes.set(node.id, node);
        for (const edge of part.edges) edges.set(edge.id, edge);
        if (part.ways) ways.push(...part.ways);
        if (one.kind === "path" || one.kind === "ways") for (const edge of part.edges) way.add(edge.id);
        if (part.note) notes.push(part.note);
    }
    const kept = [...edges.values()].filter((edge) => nodes.has(edge.from) && nodes.has(edge.to));
    return { nodes: [...nodes.values()], edges: kept, notes, way, ways };
}

// --- views that were kept, in this browser

export interface Saved {
    name: string;
    path: string;
}

const KEY = "cairn.graph.views";

export function savedViews(): Saved[] {
    try {
        const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
        if (!Array.isArray(kept)) return [];
        return kept.filter((one): one is Saved => typeof one?.name === "string" && typeof one?.path === "string" && one.path.startsWith("/graph/picture"));
    } catch {
        return [];
    }
}

/** False: the browser keeps nothing. */
export function saveViews(list: readonly Saved[]): boolean {
    try {
        localStorage.setItem(KEY, JSON.stringify(list.slice(0, 50)));
        return true;
    } catch {
        return false;
    }
}
