// What all pages of the graph have in common: where one can go, and the search by name.
import type { ComponentChildren } from "preact";
import { PageHead } from "../../ui/Small";
import { Finder } from "./Finder";
import { go } from "../../router";
import { nodePath } from "./model";
import type { Node } from "./model";

const pages = [
    { path: "/graph", text: "Overview" },
    { path: "/graph/picture", text: "Picture" },
    { path: "/graph/query", text: "Query" },
    { path: "/graph/analyses", text: "Analyses" },
];

export function Around(props: {
    title: string;
    lead?: ComponentChildren;
    actions?: ComponentChildren;
    onFound?: (node: Node) => void;
    children: ComponentChildren;
}) {
    return (
        <div class="graph-page">
            <div class="graph-bar">
                <nav class="graph-nav" aria-label="The graph">
                    {pages.map((page) => (
                        <a key={page.path} href={page.path} aria-current={location.pathname === page.path ? "page" : undefined}>
                            {page.text}
                        </a>
                    ))}
                </nav>
                <Finder label="Find a node by name" onFound={props.onFound ?? ((node) => go(nodePath(node.id)))} />
            </div>
            <PageHead title={props.title} actions={props.actions}>
                {props.lead}
            </PageHead>
            {props.children}
        </div>
    );
}
