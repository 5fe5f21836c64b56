import type { PageProps } from "../../areas";
import { useTitle } from "../../ui/hooks";
import { Empty } from "../../ui/States";
import { Overview } from "./Overview";
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
    return <Nothing />;
}
