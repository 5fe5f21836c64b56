// The nodes of a label as a table.
import { useState } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { go, setQuery, withQuery } from "../../router";
import { Button, IconButton } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { counted } from "../../ui/format";
import { useLoad, useTitle } from "../../ui/hooks";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Paging, Table } from "../../ui/Table";
import type { Column } from "../../ui/Table";
import { Around } from "./Around";
import { nameOf } from "./model";
import type { Node, Schema } from "./model";
import { NodeLink, Value } from "./parts";

type NodePage = Schemas["GraphNodePage"];
const PER_PAGE = 20;
const SHOWN = 5; // columns of properties

interface Filter {
    name: string;
    value: string;
}

function filtersOf(query: URLSearchParams): Filter[] {
    return [...query].filter(([name]) => name.startsWith("prop.")).map(([name, value]) => ({ name: name.slice(5), value }));
}

/** The first properties of the first node, then those of the others. */
function shownOf(nodes: readonly Node[], chosen: readonly string[]): string[] {
    const names = new Set<string>(chosen);
    for (const node of nodes) for (const name of Object.keys(node.properties)) names.add(name);
    return [...names].slice(0, Math.max(SHOWN, chosen.length));
}

function Filters({ filters, keys }: { filters: readonly Filter[]; keys: readonly string[] }) {
    const [name, setName] = useState("");
    const [value, setValue] = useState("");
    const chosen = name || keys[0] || "";
    return (
        <div class="label-filters">
            <form
                class="label-filter-form"
                aria-label="Filter by a property"
                onSubmit={(event) => {
                    event.preventDefault();
                    if (!chosen || !value) return;
                    setQuery({ ["prop." + chosen]: value, page: null });
                    setValue("");
                }}
            >
                <SelectField
                    label="Property"
                    choices={keys.map((key) => ({ value: key, text: key }))}
                    value={chosen}
                    onChange={(event) => setName(event.currentTarget.value)}
                />
                <TextField label="is" value={value} maxLength={500} onInput={(event) => setValue(event.currentTarget.value)} />
                <Button type="submit" icon="filter">
                    Filter
                </Button>
            </form>
            {filters.length > 0 && (
                <ul class="filter-chips" aria-label="Filters">
                    {filters.map((filter) => (
                        <li key={filter.name} class="filter-chip">
                            <span class="break">
                                {filter.name} is <b>{filter.value}</b>
                            </span>
                            <IconButton icon="close" label={`Remove the filter ${filter.name}`} onClick={() => setQuery({ ["prop." + filter.name]: null, page: null })} />
                        </li>
                    ))}
                </ul>
            )}
        </div>
    );
}

/** The property by which the first node is named: by it the first column is put in order. */
function namingOf(nodes: readonly Node[]): string {
    const first = nodes[0];
    return first ? (Object.entries(first.properties).find(([, value]) => value === nameOf(first))?.[0] ?? "") : "";
}

function columnsOf(names: readonly string[], naming: string): Column<Node>[] {
    return [
        { name: naming, title: naming || "Node", sortable: naming !== "", show: (node) => <NodeLink node={node} /> },
        ...names.map((name) => ({
            name,
            title: name,
            sortable: true,
            show: (node: Node) => <Value value={(node.properties as Record<string, unknown>)[name]} />,
        })),
    ];
}

export function LabelPage({ label, query }: { label: string; query: URLSearchParams }) {
    useTitle(label + " · Graph");
    const page = Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
    const sort = query.get("sort") ?? "";
    const filters = filtersOf(query);
    const asked = Object.fromEntries(filters.map((one) => ["prop." + one.name, one.value]));
    const { data, error, loading, again } = useLoad(JSON.stringify([label, page, sort, filters]), (signal) =>
        api.get<NodePage>(`/api/graph/labels/${segment(label)}`, { query: { page, per_page: PER_PAGE, sort, ...asked }, signal }),
    );
    const schema = useLoad("schema", (signal) => api.get<Schema>("/api/graph/schema", { signal }));
    const keys = schema.data?.labels.find((one) => one.name === label)?.properties.map((one) => one.name) ?? [];
    const chosen = [sort.replace(/^-/, ""), ...filters.map((one) => one.name)].filter(Boolean);
    const naming = namingOf(data?.nodes ?? []);
    const shown = shownOf(data?.nodes ?? [], chosen).filter((name) => name !== naming);
    return (
        <Around title={label} lead={data ? `${counted(data.pagination.total_count, "node")}${filters.length > 0 ? " that the filters leave" : ""}` : "Nodes with this label"}>
            <Filters filters={filters} keys={keys} />
            {error && <ErrorNotice error={error} again={again} />}
            {!error && !data && <Loading what="Loading the nodes" lines={20} />}
            {data && data.nodes.length === 0 && !error && (
                <Empty icon="graph" title="There are no such nodes, or none that you may see">
                    {filters.length > 0 ? <a href={location.pathname}>Without filters</a> : <a href="/graph">Go to the overview</a>}
                </Empty>
            )}
            {data && data.nodes.length > 0 && (
                <>
                    <Table
                        caption={"Nodes with the label " + label}
                        columns={columnsOf(shown, naming)}
                        rows={data.nodes}
                        keyOf={(node) => node.id}
                        sort={sort}
                        busy={loading}
                        onSort={(next) => setQuery({ sort: next, page: null }, { replace: true })}
                    />
                    <Paging
                        page={data.pagination.page}
                        pages={data.pagination.total_pages}
                        total={data.pagination.total_count}
                        onPage={(to) => {
                            go(withQuery({ page: to === 1 ? null : to }));
                            scrollTo(0, 0);
                        }}
                    />
                </>
            )}
        </Around>
    );
}
