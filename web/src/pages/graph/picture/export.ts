// The picture as a file: SVG, PNG, or CSV that the API's import reads again.
import { nameOf } from "../model";
import { HEIGHT, paperOf, WIDTH } from "./paper";
import type { Places } from "./paper";
import type { Look, Shape } from "./shapes";
import type { Contents } from "./view";

function escape(text: string): string {
    return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "").replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);
}

export function svgOf(shape: Shape, places: Places, look: Look): string {
    const { lines, texts } = paperOf(shape, places, look);
    const drawn = lines.map(({ path, colour, width, title }) => {
        const how = width > 0 ? `fill="none" stroke="${colour}" stroke-width="${width}"` : `fill="${colour}"`;
        return `<path d="${path}" ${how}><title>${escape(title)}</title></path>`;
    });
    const written = texts.map(({ x, y, angle, text, colour, size, ofEdge }) => {
        const turn = angle ? ` rotate(${((angle * 180) / Math.PI).toFixed(1)})` : "";
        const how = ofEdge ? ' font-family="monospace" text-anchor="middle"' : "";
        return `<text transform="translate(${x.toFixed(1)} ${y.toFixed(1)})${turn}" font-size="${size}"${how} fill="${colour}">${escape(text)}</text>`;
    });
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif">`,
        `<rect width="${WIDTH}" height="${HEIGHT}" fill="${look.surface}"/>`,
        ...drawn,
        ...written,
        "</svg>\n",
    ].join("\n");
}

export function pngOf(shape: Shape, places: Places, look: Look): Promise<Blob | null> {
    const { lines, texts } = paperOf(shape, places, look);
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH * 2;
    canvas.height = HEIGHT * 2;
    const context = canvas.getContext("2d");
    if (!context) return Promise.resolve(null);
    context.scale(2, 2);
    context.fillStyle = look.surface;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    for (const { path, colour, width } of lines) {
        context.strokeStyle = context.fillStyle = colour;
        context.lineWidth = width;
        if (width > 0) context.stroke(new Path2D(path));
        else context.fill(new Path2D(path));
    }
    for (const { x, y, angle, text, colour, size, ofEdge } of texts) {
        context.save();
        context.translate(x, y);
        context.rotate(angle);
        context.fillStyle = colour;
        context.font = `${size}px ${ofEdge ? look.mono : look.font}`;
        context.textAlign = ofEdge ? "center" : "left";
        context.fillText(text, 0, 0);
        context.restore();
    }
    return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** What the picture began with, and when it was saved: no two files have the same name. */
export function fileName({ nodes }: Contents, kind: string, now = new Date()): string {
    const begun = nodes[0] ? nameOf(nodes[0]) : "";
    const plain = begun.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60).replace(/^-+|-+$/g, "");
    const two = (n: number) => String(n).padStart(2, "0");
    const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("");
    return ["graph", plain, day, time].filter(Boolean).join("-") + "." + kind;
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
