// Properties as somebody writes them: each with a name, a kind and a text, of which a value
// is made again.
export type Kind = "text" | "number" | "truth" | "json";

export interface Row {
    key: number; // that of the row, not of the property
    name: string;
    kind: Kind;
    text: string;
}

export const kinds = [
    { value: "text", text: "Text" },
    { value: "number", text: "Number" },
    { value: "truth", text: "Yes or no" },
    { value: "json", text: "Something else (JSON)" },
];

let next = 1;

export function newRow(name = "", kind: Kind = "text", text = ""): Row {
    return { key: next++, name, kind, text };
}

export function rowsOf(properties: object): Row[] {
    return Object.entries(properties as Record<string, unknown>).map(([name, value]) => {
        if (typeof value === "string") return newRow(name, "text", value);
        if (typeof value === "number") return newRow(name, "number", String(value));
        if (typeof value === "boolean") return newRow(name, "truth", String(value));
        return newRow(name, "json", JSON.stringify(value));
    });
}

/** Why a row cannot be stored, by its key. */
export type Faults = Map<number, { at: "name" | "value"; text: string }>;

function valueOf(row: Row): unknown {
    if (row.kind === "text") return row.text;
    if (row.kind === "truth") return row.text === "true";
    const value: unknown = JSON.parse(row.text.trim());
    if (row.kind === "number" && typeof value !== "number") throw new Error("no number");
    return value;
}

export function propertiesOf(rows: readonly Row[]): { properties: Record<string, unknown>; faults: Faults } {
    const properties: Record<string, unknown> = {};
    const faults: Faults = new Map();
    for (const row of rows) {
        const name = row.name.trim();
        if (!name) {
            if (row.text !== "") faults.set(row.key, { at: "name", text: "A property needs a name." });
            continue;
        }
        if (Object.hasOwn(properties, name)) faults.set(row.key, { at: "name", text: `“${name}” is there already.` });
        try {
            properties[name] = valueOf(row);
        } catch {
            faults.set(row.key, { at: "value", text: row.kind === "number" ? "This is no number, such as 3 or -1.5." : "This is no JSON, such as [1, 2] or {\"a\": true}." });
        }
    }
    return { properties, faults };
}

/** What is to be sent so that only what was changed is: null takes a property away. */
export function changesOf(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
    const changes: Record<string, unknown> = {};
    for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) changes[name] = null;
    for (const [name, value] of Object.entries(after)) if (JSON.stringify(value) !== JSON.stringify(before[name])) changes[name] = value;
    return changes;
}

export function labelsOf(text: string): string[] {
    return [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))];
}
