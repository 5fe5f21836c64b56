// What an analysis found, with the names of nodes.
import { count, counted } from "../../ui/format";
import { useLoad } from "../../ui/hooks";
import { Table } from "../../ui/Table";
import { labelNames, query } from "./model";
import type { Node, Schema } from "./model";
import { LabelLink, NodeLink } from "./parts";

interface Ranked {
    id: string;
    value: number;
}

interface Group {
    number: number;
    size: number;
    members: string[];
}

interface Result {
    nodes?: number;
    edges?: number;
    iterations?: number;
    converged?: boolean;
    modularity?: number;
    group_count?: number;
    written?: number;
    top?: Ranked[];
    groups?: Group[];
}

const figures = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** The nodes of these ids that can be seen now. */
function useNodes(ids: readonly string[]): Map<string, Node> {
    const { data } = useLoad(ids.length > 0 ? ids.join("\n") : null, (signal) =>
        query("UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id RETURN n", { ids }, signal),
    );
    return new Map((data?.rows ?? []).map(([node]) => [(node as Node).id, node as Node]));
}

function Name({ id, nodes }: { id: string; nodes: Map<string, Node> }) {
    return <NodeLink node={nodes.get(id) ?? { id, number: 0, labels: [], properties: {} }} />;
}

function Facts({ result }: { result: Result }) {
    const facts: [string, string | null][] = [
        ["Looked at", `${counted(result.nodes ?? 0, "node")}, ${counted(result.edges ?? 0, "relationship")}`],
        ["Rounds", result.iterations === undefined ? null : count(result.iterations) + (result.converged ? "" : ", and not at rest then")],
        ["Groups", result.group_count === undefined ? null : count(result.group_count)],
        ["Modularity", result.modularity === undefined ? null : figures.format(result.modularity)],
        ["Nodes that got the property", result.written ? count(result.written) : null],
    ];
    return (
        <dl class="properties">
            {facts.map(([name, said]) =>
                said === null ? null : (
                    <div key={name}>
                        <dt>{name}</dt>
                        <dd>{said}</dd>
                    </div>
                ),
            )}
        </dl>
    );
}

export function AnalysisResult({ result: told, schema }: { result: unknown; schema: Schema }) {
    const result = (told ?? {}) as Result;
    const all = labelNames(schema);
    const nodes = useNodes([...(result.top ?? []).map((one) => one.id), ...(result.groups ?? []).flatMap((one) => one.members)]);
    return (
        <div class="stack">
            <Facts result={result} />
            {result.top && (
                <Table
                    caption="The first nodes"
                    rows={result.top}
                    keyOf={(row) => row.id}
                    columns={[
                        { name: "node", title: "Node", show: (row) => <Name id={row.id} nodes={nodes} /> },
                        {
                            name: "labels",
                            title: "Labels",
                            show: (row) => (
                                <span class="badges">
                                    {nodes.get(row.id)?.labels.map((label) => <LabelLink key={label} label={label} all={all} />)}
                                </span>
                            ),
                        },
                        { name: "value", title: "Figure", numeric: true, show: (row) => figures.format(row.value) },
                    ]}
                />
            )}
            {result.groups && (
                <Table
                    caption="The largest groups"
                    rows={result.groups}
                    keyOf={(row) => row.number}
                    columns={[
                        { name: "number", title: "Group", numeric: true, show: (row) => count(row.number) },
                        { name: "size", title: "Nodes", numeric: true, show: (row) => count(row.size) },
                        {
                            name: "members",
                            title: "Some of them",
                            show: (row) => (
                                <span class="badges">
                                    {row.members.map((id) => (
                                        <Name key={id} id={id} nodes={nodes} />
                                    ))}
                                </span>
                            ),
                        },
                    ]}
                />
            )}
        </div>
    );
}
