// The picture as a file: SVG, PNG, or CSV that the API's import reads again.
import type { Look, Shape } from "./shapes";
import type { Contents } from "./view";

type Places = Map<string, { x: number; y: number }>;

const WIDTH = 1600;
const HEIGHT = 1100;
const MARGIN = 70;

/** Places within the paper, y downwards. */
function onPaper(places: Places): Places {
    const all = [...places.values()];
    const [left, right] = [Math.min(...all.map((p) => p.x)), Math.max(...all.map((p) => p.x))];
    const [low, high] = [Math.min(...all.map((p) => p.y)), Math.max(...all.map((p) => p.y))];
    const scale = Math.min((WIDTH - 2 * MARGIN) / (right - left || 1), (HEIGHT - 2 * MARGIN) / (high - low || 1));
    const middle = { x: (left + right) / 2, y: (low + high) / 2 };
    return new Map([...places].map(([id, p]) => [id, { x: WIDTH / 2 + (p.x - middle.x) * scale, y: HEIGHT / 2 - (p.y - middle.y) * scale }]));
}

function escape(text: string): string {
    return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "").replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);
}

export function svgOf(shape: Shape, places: Places, look: Look): string {
    const at = onPaper(places);
    const lines = [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="14">`,
        `<rect width="${WIDTH}" height="${HEIGHT}" fill="${look.surface}"/>`,
    ];
    for (const edge of shape.edges) {
        const [a, b] = [at.get(edge.from), at.get(edge.to)];
        if (!a || !b) continue;
        lines.push(
            `<line x1="${a.x.toFixed(1)}" y1="${a.y.toFixed(1)}" x2="${b.x.toFixed(1)}" y2="${b.y.toFixed(1)}" stroke="${edge.way ? look.accent : look.strong}" stroke-width="${edge.way ? 4 : 1.2}"><title>${escape(edge.type)}</title></line>`,
        );
    }
    for (const node of shape.nodes) {
        const p = at.get(node.id);
        if (!p) continue;
        lines.push(`<circle cx="${p.x.toFixed(1)}" cy="${p.y.toFixed(1)}" r="${node.size.toFixed(1)}" fill="${node.colour}"><title>${escape(node.name)}</title></circle>`);
        if (shape.nodes.length <= 400)
            lines.push(`<text x="${(p.x + node.size + 4).toFixed(1)}" y="${(p.y + 5).toFixed(1)}" fill="${look.ink}">${escape(node.name)}</text>`);
    }
    return lines.join("\n") + "\n</svg>\n";
}

export function pngOf(shape: Shape, places: Places, look: Look): Promise<Blob | null> {
    const at = onPaper(places);
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH * 2;
    canvas.height = HEIGHT * 2;
    const context = canvas.getContext("2d");
    if (!context) return Promise.resolve(null);
    context.scale(2, 2);
    context.fillStyle = look.surface;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    for (const edge of shape.edges) {
        const [a, b] = [at.get(edge.from), at.get(edge.to)];
        if (!a || !b) continue;
        context.beginPath();
        context.moveTo(a.x, a.y);
        context.lineTo(b.x, b.y);
        context.strokeStyle = edge.way ? look.accent : look.strong;
        context.lineWidth = edge.way ? 4 : 1.2;
        context.stroke();
    }
    context.font = `14px ${look.font}`;
    for (const node of shape.nodes) {
        const p = at.get(node.id);
        if (!p) continue;
        context.beginPath();
        context.arc(p.x, p.y, node.size, 0, 2 * Math.PI);
        context.fillStyle = node.colour;
        context.fill();
        context.fillStyle = look.ink;
        if (shape.nodes.length <= 400) context.fillText(node.name, p.x + node.size + 4, p.y + 5);
    }
    return new Promise((done) => canvas.toBlob(done, "image/png"));
}

type Type = "string" | "int" | "float" | "boolean" | "string[]" | "json";

function typeOf(value: unknown): Type {
    if (typeof value === "string") return "string";
    if (typeof value === "boolean") return "boolean";
    if (typeof value === "number") return Number.isSafeInteger(value) ? "int" : "float";
    const plain = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string" && one !== "" && !one.includes(";"));
    return plain ? "string[]" : "json";
}

interface Key {
    name: string;
    type: Type; // of all its values; json where they differ
}

function keysOf(list: readonly { properties: unknown }[]): Key[] {
    const types = new Map<string, Type>();
    for (const one of list)
        for (const [name, value] of Object.entries(one.properties as Record<string, unknown>)) {
            const type = typeOf(value);
            types.set(name, (types.get(name) ?? type) === type ? type : "json");
        }
    return [...types].map(([name, type]) => ({ name, type })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function write(key: Key, one: { properties: unknown }): string {
    const value = (one.properties as Record<string, unknown>)[key.name];
    if (value === undefined || value === null) return "";
    if (key.type === "json") return JSON.stringify(value);
    return key.type === "string[]" ? (value as string[]).join(";") : String(value);
}

function rows(header: readonly string[], list: readonly (readonly string[])[]): string {
    const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return [header, ...list].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function headerOf(keys: readonly Key[]): string[] {
    return keys.map(({ name, type }) => (type === "string" ? name : `${name}:${type}`));
}

/** Nodes, an empty line, relationships: what neo4j-admin and /api/graph/import know. */
export function csvOf({ nodes, edges }: Contents): string {
    const ofNodes = keysOf(nodes);
    const ofEdges = keysOf(edges);
    const one = nodes.map((node) => [node.id, node.labels.join(";"), ...ofNodes.map((key) => write(key, node))]);
    const two = edges.map((edge) => [edge.id, edge.from, edge.to, edge.type, ...ofEdges.map((key) => write(key, edge))]);
    const nodeRows = rows([":ID", ":LABEL", ...headerOf(ofNodes)], one);
    return nodeRows + "\r\n" + rows([":EDGE_ID", ":START_ID", ":END_ID", ":TYPE", ...headerOf(ofEdges)], two);
}

export function save(contents: Blob, name: string): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(contents);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
