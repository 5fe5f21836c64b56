// Nodes and relationships as they are drawn: with a name, a colour, a size.
import { colourOf, nameOf } from "../model";
import type { Contents, View } from "./view";

/** Up to so many relationships have their names, bow beside each other, have arrows. */
export const NAMED_EDGES = 150;
const BOWED_EDGES = 500;
export const POINTED_EDGES = 2000;
const BEND = 0.36; // between two neighbours

export interface Look {
    ink: string;
    quiet: string;
    line: string;
    strong: string;
    accent: string;
    surface: string;
    font: string;
    mono: string;
    chart: string[];
}

export interface ShapeNode {
    id: string;
    name: string;
    colour: string;
    size: number;
}

export interface ShapeEdge {
    id: string;
    from: string;
    to: string;
    type: string;
    way: boolean;
    bend: number; // how far it is bowed to its left, in its own lengths; 0 is straight
}

export interface Shape {
    nodes: ShapeNode[];
    edges: ShapeEdge[];
}

/** The theme's colours, as they are now. */
export function lookNow(): Look {
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue("--" + name).trim();
    return {
        ink: of("ink"),
        quiet: of("ink-3"),
        line: of("line"),
        strong: of("line-strong"),
        accent: of("accent"),
        surface: of("surface"),
        font: of("font"),
        mono: of("mono"),
        chart: [1, 2, 3, 4, 5, 6].map((n) => of("chart-" + n)),
    };
}

/** From 0: which of the chart's colours. */
export function colourIn(view: View, label: string, all: readonly string[]): number {
    const chosen = view.colours[label];
    return chosen ? chosen - 1 : colourOf(label, all);
}

/** Relationships that join the same two nodes bow apart, so that each can be read. */
function bendsOf(edges: Contents["edges"]): Map<string, number> {
    const bends = new Map<string, number>();
    if (edges.length > BOWED_EDGES) return bends;
    const pairs = new Map<string, Contents["edges"]>();
    for (const edge of edges) {
        const pair = JSON.stringify([edge.from, edge.to].sort());
        pairs.set(pair, [...(pairs.get(pair) ?? []), edge]);
    }
    for (const together of pairs.values())
        together.forEach((edge, i) => {
            const bend = (i - (together.length - 1) / 2) * BEND;
            bends.set(edge.id, edge.from < edge.to ? bend : -bend); // left of the one is right of the other
        });
    return bends;
}

/** A node is the larger the more joins it with others in this picture. */
export function shapeOf(contents: Contents, view: View, all: readonly string[], look: Look): Shape {
    const degrees = new Map<string, number>();
    for (const edge of contents.edges)
        for (const end of [edge.from, edge.to]) degrees.set(end, (degrees.get(end) ?? 0) + 1);
    const bends = bendsOf(contents.edges);
    const scale = contents.nodes.length > 2500 ? 0.28 : contents.nodes.length > 800 ? 0.45 : contents.nodes.length > 150 ? 0.7 : 1;
    return {
        nodes: contents.nodes.map((node) => {
            const label = node.labels[0] ?? "";
            return {
                id: node.id,
                name: nameOf(node, view.captions[label]),
                colour: look.chart[colourIn(view, label, all)] ?? look.accent,
                size: scale * Math.min(22, 6 + 3 * Math.log1p(degrees.get(node.id) ?? 0)),
            };
        }),
        edges: contents.edges.map(({ id, from, to, type }) => ({ id, from, to, type, way: contents.way.has(id), bend: bends.get(id) ?? 0 })),
    };
}
