// Questions in openCypher, which only read. The question stands in the address.
import { useState } from "preact/hooks";
import { setQuery } from "../../router";
import { Button } from "../../ui/Button";
import { TextArea } from "../../ui/Field";
import { count, counted, duration } from "../../ui/format";
import { useLoad, useTitle } from "../../ui/hooks";
import { Card } from "../../ui/Small";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";
import type { ApiError } from "../../api";
import { Around } from "./Around";
import { nameOf, query as ask } from "./model";
import type { Edge, Node, Rows } from "./model";
import { NodeLink, Value } from "./parts";

const SHOWN = 200; // rows that are drawn at once

const examples = [
    { title: "Which labels there are", text: "MATCH (n)\nUNWIND labels(n) AS label\nRETURN label, count(*) AS nodes\nORDER BY nodes DESC" },
    { title: "What is joined with most", text: "MATCH (n)-[r]-()\nRETURN n, count(r) AS relationships\nORDER BY relationships DESC\nLIMIT 10" },
    { title: "Chains of two", text: "MATCH way = (a)-->(b)-->(c)\nRETURN way\nLIMIT 10" },
];

function isNode(value: object): value is Node {
    return "labels" in value && "properties" in value && "number" in value;
}

function isEdge(value: object): value is Edge {
    return "type" in value && "from" in value && "to" in value && "number" in value;
}

function isPath(value: object): value is { nodes: Node[]; edges: Edge[] } {
    return "nodes" in value && "edges" in value && Array.isArray(value.nodes) && Array.isArray(value.edges);
}

/** What stands in a cell: nodes lead to their pages, paths are written as chains. */
function Cell({ value }: { value: unknown }) {
    if (typeof value !== "object" || value === null) return <Value value={value} />;
    if (isNode(value)) return <NodeLink node={value} />;
    if (isEdge(value)) return <code class="break">{value.type}</code>;
    if (isPath(value))
        return (
            <span>
                {value.nodes.map((node, i) => {
                    const edge = value.edges[i - 1];
                    const back = edge !== undefined && edge.to !== node.id;
                    return (
                        <span key={i}>
                            {edge && <code class="quiet">{back ? ` ←${edge.type}– ` : ` –${edge.type}→ `}</code>}
                            <NodeLink node={node} />
                        </span>
                    );
                })}
            </span>
        );
    if (Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null && isNode(one)))
        return <span class="break">{(value as Node[]).map((node) => nameOf(node)).join(", ")}</span>;
    return <Value value={value} />;
}

/** "line 2, column 5": of the question's second line, with a mark below. */
function Where({ error, text }: { error: ApiError; text: string }) {
    const place = /line (\d+), column (\d+)/i.exec(error.message);
    const line = place ? text.split("\n")[Number(place[1]) - 1] : undefined;
    if (!place || line === undefined) return null;
    return (
        <pre tabIndex={0} aria-label="Where it went wrong">
            {line + "\n" + " ".repeat(Math.max(0, Number(place[2]) - 1)) + "^"}
        </pre>
    );
}

function Result({ rows, busy }: { rows: Rows; busy: boolean }) {
    const [most, setMost] = useState(SHOWN);
    const list = rows.rows.slice(0, most).map((values, i) => ({ i, values }));
    return (
        <>
            <p class="query-told" role="status">
                {counted(rows.row_count, "row")} in {duration(rows.time_ms / 1000)}
            </p>
            {rows.truncated && (
                <Notice kind="warn">
                    <p>There are more rows than these. Ask with SKIP and LIMIT, or for less.</p>
                </Notice>
            )}
            {list.length === 0 ? (
                <Empty icon="search" title="No row matches">
                    Names of labels, types and properties are written as the overview has them.
                </Empty>
            ) : (
                <Table
                    caption="Rows"
                    busy={busy}
                    rows={list}
                    keyOf={(row) => row.i}
                    columns={rows.columns.map((title, at) => ({
                        name: String(at),
                        title,
                        numeric: list.every((row) => typeof row.values[at] === "number"),
                        show: (row: (typeof list)[number]) => <Cell value={row.values[at]} />,
                    }))}
                />
            )}
            {rows.rows.length > most && <Button onClick={() => setMost(most + 800)}>All {count(rows.rows.length)} rows</Button>}
        </>
    );
}

export function QueryPage({ query }: { query: URLSearchParams }) {
    useTitle("Query · Graph");
    const q = query.get("q") ?? "";
    const [text, setText] = useState(q || examples[0]!.text);
    const { data, error, loading, again } = useLoad(q || null, (signal) => ask(q, {}, signal));
    const run = (what: string) => {
        const asked = what.trim();
        if (!asked) return;
        if (asked === q) again();
        else setQuery({ q: asked });
    };
    return (
        <Around title="Query" lead="Ask the graph in openCypher. Questions only read, and see what you may see.">
            <div class="stack">
                <Card>
                    <form
                        class="query-form"
                        aria-label="Query"
                        onSubmit={(event) => {
                            event.preventDefault();
                            run(text);
                        }}
                    >
                        <TextArea
                            label="openCypher"
                            rows={Math.min(14, Math.max(4, text.split("\n").length))}
                            value={text}
                            maxLength={20000}
                            spellcheck={false}
                            autocomplete="off"
                            onInput={(event) => setText(event.currentTarget.value)}
                            onKeyDown={(event) => {
                                if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
                                event.preventDefault();
                                run(text);
                            }}
                        />
                        <div class="row">
                            <Button kind="primary" icon="play" type="submit" busy={loading}>
                                Run
                            </Button>
                            <span class="small quiet">
                                or <kbd>Ctrl</kbd> <kbd>Enter</kbd>
                            </span>
                            <span class="query-examples">
                                {examples.map((one) => (
                                    <Button
                                        key={one.title}
                                        kind="quiet"
                                        onClick={() => {
                                            setText(one.text);
                                            run(one.text);
                                        }}
                                    >
                                        {one.title}
                                    </Button>
                                ))}
                            </span>
                        </div>
                    </form>
                </Card>
                <section aria-label="Result" class="query-result">
                    {error && (
                        <>
                            <ErrorNotice error={error} />
                            <Where error={error} text={q} />
                        </>
                    )}
                    {!error && loading && !data && <Loading what="Asking the graph" lines={8} />}
                    {!error && data && <Result key={q} rows={data} busy={loading} />}
                </section>
            </div>
        </Around>
    );
}
