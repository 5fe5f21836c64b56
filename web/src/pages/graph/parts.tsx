import { colourOf, labelPath, nameOf, nodePath, textOf } from "./model";
import type { Node } from "./model";

export function LabelLink({ label, all }: { label: string; all: readonly string[] }) {
    return (
        <a class={`label-link colour-${colourOf(label, all) + 1}`} href={labelPath(label)}>
            <span class="label-dot" aria-hidden="true" />
            {label}
        </a>
    );
}

export function NodeLink({ node }: { node: Node }) {
    return (
        <a class="break" href={nodePath(node.id)}>
            {nameOf(node)}
        </a>
    );
}

export function Value({ value }: { value: unknown }) {
    if (value === null || value === undefined) return <span class="quiet">–</span>;
    if (typeof value === "string" && /^https?:\/\/[^\s]+$/.test(value))
        return (
            <a class="break" href={value} target="_blank" rel="noreferrer noopener">
                {value}
            </a>
        );
    if (typeof value === "object" && !Array.isArray(value)) return <code class="break">{JSON.stringify(value)}</code>;
    return <span class="break">{textOf(value)}</span>;
}
