import type { PageProps } from "../../areas";
import { useTitle } from "../../ui/hooks";
import { Empty } from "../../ui/States";
import { AnalysesPage } from "./Analyses";
import { LabelPage } from "./Label";
import { NodePage } from "./Node";
import { Overview } from "./Overview";
import { PicturePage } from "./picture/Picture";
import { QueryPage } from "./Query";
import "./graph.css";

function Nothing() {
    useTitle("No such page");
    return (
        <Empty icon="graph" title="The graph has no page at this address">
            <a href="/graph">Go to the overview</a>
        </Empty>
    );
}

export default function Page({ rest, query }: PageProps) {
    if (rest.length === 0) return <Overview query={query} />;
    const [kind, name] = rest;
    if (kind === "query" && rest.length === 1) return <QueryPage query={query} />;
    if (kind === "analyses" && rest.length === 1) return <AnalysesPage query={query} />;
    if (kind === "picture" && rest.length === 1) return <PicturePage query={query} />;
    if (kind === "labels" && name && rest.length === 2) return <LabelPage key={name} label={name} query={query} />;
    if (kind === "nodes" && name && rest.length === 2) return <NodePage key={name} id={name} />;
    return <Nothing />;
}
