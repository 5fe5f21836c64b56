// The picture on paper: the marks that both kinds of file are made of, as the screen has them.
import type { Look, Shape, ShapeEdge } from "./shapes";
import { NAMED_EDGES, POINTED_EDGES } from "./shapes";

interface Place {
    x: number;
    y: number;
}
export type Places = Map<string, Place>;

export const WIDTH = 1600;
export const HEIGHT = 1100;
const MARGIN = 70;
const NAMED_NODES = 400;
const EDGE_TEXT = 11;
const LETTER = 0.62 * EDGE_TEXT; // how wide, of a font whose letters are all as wide

/** `path` in the language of SVG, which a canvas reads, too. */
export interface Line {
    path: string;
    colour: string;
    width: number; // 0: filled
    title: string;
}

export interface Text {
    x: number;
    y: number;
    angle: number; // radians, around x and y
    text: string;
    colour: string;
    size: number;
    ofEdge: boolean; // letters all as wide, x is the middle
}

export interface Paper {
    lines: Line[];
    texts: Text[];
}

/** Places within the paper, y downwards. */
function onPaper(places: Places): Places {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of places.values()) {
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [low, high] = [Math.min(low, y), Math.max(high, y)];
    }
    const scale = Math.min((WIDTH - 2 * MARGIN) / (right - left || 1), (HEIGHT - 2 * MARGIN) / (high - low || 1));
    const middle = { x: (left + right) / 2, y: (low + high) / 2 };
    return new Map([...places].map(([id, p]) => [id, { x: WIDTH / 2 + (p.x - middle.x) * scale, y: HEIGHT / 2 - (p.y - middle.y) * scale }]));
}

const at = (p: Place) => `${p.x.toFixed(1)} ${p.y.toFixed(1)}`;

/** From `p` towards `q`, so many pixels. */
function towards(p: Place, q: Place, far: number): Place {
    const length = Math.hypot(q.x - p.x, q.y - p.y) || 1;
    return { x: p.x + ((q.x - p.x) * far) / length, y: p.y + ((q.y - p.y) * far) / length };
}

interface Drawn {
    edge: ShapeEdge;
    from: Place;
    to: Place;
    bow: Place; // what the curve is pulled to
    size: number; // of the node where it ends
}

function bowOf(edge: ShapeEdge, from: Place, to: Place): Place {
    return {
        x: (from.x + to.x) / 2 + (to.y - from.y) * edge.bend,
        y: (from.y + to.y) / 2 - (to.x - from.x) * edge.bend,
    };
}

function lineOf({ edge, from, to, bow, size }: Drawn, look: Look, pointed: boolean): Line[] {
    const colour = edge.way ? look.accent : look.strong;
    const width = edge.way ? 4 : 1.4;
    const head = 5 + 2.5 * width;
    const end = pointed ? towards(to, bow, size + head) : to;
    const line = { path: `M${at(from)}Q${at(bow)} ${at(end)}`, colour, width, title: edge.type };
    if (!pointed) return [line];
    const tip = towards(to, bow, size);
    const aside = { x: (tip.y - end.y) * 0.45, y: (end.x - tip.x) * 0.45 };
    const path = `M${at(tip)}L${at({ x: end.x + aside.x, y: end.y + aside.y })}L${at({ x: end.x - aside.x, y: end.y - aside.y })}Z`;
    return [line, { path, colour, width: 0, title: edge.type }];
}

/** Above its line, never upside down; cut where the line is short. */
function nameOfEdge({ edge, from, to, bow, size }: Drawn, look: Look): Text | null {
    const room = Math.floor((Math.hypot(to.x - from.x, to.y - from.y) - 2 * size) / LETTER);
    const text = edge.type.length <= room ? edge.type : edge.type.slice(0, Math.max(0, room - 1)) + "…";
    if (text.length < Math.min(4, edge.type.length)) return null;
    let angle = Math.atan2(to.y - from.y, to.x - from.x);
    if (Math.abs(angle) > Math.PI / 2) angle -= Math.sign(angle) * Math.PI;
    const middle = { x: (from.x + 2 * bow.x + to.x) / 4, y: (from.y + 2 * bow.y + to.y) / 4 };
    const x = middle.x + 5 * Math.sin(angle);
    const y = middle.y - 5 * Math.cos(angle);
    return { x, y, angle, text, colour: look.quiet, size: EDGE_TEXT, ofEdge: true };
}

export function paperOf(shape: Shape, places: Places, look: Look): Paper {
    const where = onPaper(places);
    const paper: Paper = { lines: [], texts: [] };
    const sizes = new Map(shape.nodes.map((node) => [node.id, node.size]));
    for (const edge of shape.edges) {
        const [from, to] = [where.get(edge.from), where.get(edge.to)];
        if (!from || !to || edge.from === edge.to) continue;
        const drawn = { edge, from, to, bow: bowOf(edge, from, to), size: sizes.get(edge.to) ?? 0 };
        paper.lines.push(...lineOf(drawn, look, shape.edges.length <= POINTED_EDGES));
        const name = shape.edges.length <= NAMED_EDGES ? nameOfEdge(drawn, look) : null;
        if (name) paper.texts.push(name);
    }
    for (const node of shape.nodes) {
        const p = where.get(node.id);
        if (!p) continue;
        const [x, y, r] = [p.x.toFixed(1), p.y.toFixed(1), Number(node.size.toFixed(1))];
        paper.lines.push({ path: `M${x} ${y}m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`, colour: node.colour, width: 0, title: node.name });
        if (shape.nodes.length <= NAMED_NODES)
            paper.texts.push({ x: p.x + node.size + 4, y: p.y + 5, angle: 0, text: node.name, colour: look.ink, size: 14, ofEdge: false });
    }
    return paper;
}
