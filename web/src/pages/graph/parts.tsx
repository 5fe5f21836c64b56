import type { ComponentChildren } from "preact";
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

/** What is known of a node, the first `most` of it; `children` are further lines. */
export function PropertyList({ node, most = Infinity, kind, children }: { node: Node; most?: number; kind: string; children?: ComponentChildren }) {
    return (
        <dl class={kind}>
            {Object.entries(node.properties as Record<string, unknown>)
                .slice(0, most)
                .map(([name, value]) => (
                    <div key={name}>
                        <dt>{name}</dt>
                        <dd>
                            <Value value={value} />
                        </dd>
                    </div>
                ))}
            {children}
        </dl>
    );
}

/** A node with its labels, and what else is to be said of it. */
export function NodeLine({ node, all, children }: { node: Node; all: readonly string[]; children?: ComponentChildren }) {
    return (
        <li>
            <NodeLink node={node} />
            <span class="badges small">
                {node.labels.map((label) => (
                    <LabelLink key={label} label={label} all={all} />
                ))}
            </span>
            {children}
        </li>
    );
}
