import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { count, counted } from "../../ui/format";
import { useLoad, useTitle } from "../../ui/hooks";
import { Badge, Card } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Table } from "../../ui/Table";
import { Tabs } from "../../ui/Tabs";
import { Around } from "./Around";
import { NodeForm } from "./edit/NodeForm";
import { LabelLink } from "./parts";
import { labelNames, linksOf } from "./model";
import type { Schema } from "./model";
import { SchemaPicture } from "./SchemaPicture";

const tabs = [
    { id: "labels", text: "Labels" },
    { id: "types", text: "Relationship types" },
    { id: "keys", text: "Property keys" },
];

/** "name" or "-name" of one of the row's members. */
function sorted<Row extends { name: string }>(rows: readonly Row[], sort: string): Row[] {
    const down = sort.startsWith("-");
    const member = (down ? sort.slice(1) : sort) as keyof Row;
    return [...rows].sort((a, b) => {
        const [x, y] = [a[member], b[member]];
        const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
        return (down ? -order : order) || a.name.localeCompare(b.name);
    });
}

interface Key {
    name: string;
    types: string[];
    labels: string[];
}

function keysOf(schema: Schema): Key[] {
    const keys = new Map<string, Key>();
    for (const label of schema.labels)
        for (const property of label.properties) {
            const key = keys.get(property.name) ?? { name: property.name, types: [], labels: [] };
            key.labels.push(label.name);
            for (const type of property.types) if (!key.types.includes(type)) key.types.push(type);
            keys.set(property.name, key);
        }
    return [...keys.values()];
}

function Links({ names, all }: { names: readonly string[]; all: readonly string[] }) {
    return (
        <span class="badges">
            {names.map((name) => (
                <LabelLink key={name} label={name} all={all} />
            ))}
        </span>
    );
}

function Words({ list }: { list: readonly string[] }): ComponentChildren {
    if (list.length === 0) return <span class="quiet">none</span>;
    return <span class="break">{list.join(", ")}</span>;
}

function Lists({ schema, tab, sort }: { schema: Schema; tab: string; sort: string }) {
    const all = labelNames(schema);
    const onSort = (next: string) => setQuery({ sort: next }, { replace: true });
    const common = { keyOf: (row: { name: string }) => row.name, sort, onSort };
    if (tab === "types")
        return (
            <Table
                {...common}
                caption="Relationship types"
                rows={sorted(schema.relationship_types, sort)}
                columns={[
                    { name: "name", title: "Type", sortable: true, show: (row) => <code>{row.name}</code> },
                    { name: "count", title: "Relationships", sortable: true, numeric: true, show: (row) => count(row.count) },
                    { name: "from", title: "From", show: (row) => <Links names={row.from_labels} all={all} /> },
                    { name: "to", title: "To", show: (row) => <Links names={row.to_labels} all={all} /> },
                ]}
            />
        );
    if (tab === "keys")
        return (
            <Table
                {...common}
                caption="Property keys"
                rows={sorted(keysOf(schema), sort)}
                columns={[
                    { name: "name", title: "Key", sortable: true, show: (row) => <code>{row.name}</code> },
                    { name: "types", title: "Kinds of values", show: (row) => <Words list={row.types} /> },
                    { name: "labels", title: "Of nodes with", show: (row) => <Links names={row.labels} all={all} /> },
                ]}
            />
        );
    return (
        <Table
            {...common}
            caption="Labels"
            rows={sorted(schema.labels, sort)}
            columns={[
                { name: "name", title: "Label", sortable: true, show: (row) => <LabelLink label={row.name} all={all} /> },
                { name: "count", title: "Nodes", sortable: true, numeric: true, show: (row) => count(row.count) },
                { name: "keys", title: "Property keys", show: (row) => <Words list={row.properties.map((one) => one.name)} /> },
            ]}
        />
    );
}

export function Overview({ query }: { query: URLSearchParams }) {
    useTitle("Graph");
    const { data, error, again } = useLoad("schema", async (signal) => {
        const schema = await api.get<Schema>("/api/graph/schema", { signal });
        return { schema, links: await linksOf(schema, signal) };
    });
    const writes = useSession().may("write_graph");
    const [making, make] = useState(false);
    const tab = tabs.some((one) => one.id === query.get("tab")) ? query.get("tab")! : "labels";
    const sort = query.get("sort") ?? (tab === "keys" ? "name" : "-count");
    return (
        <Around
            title="Graph"
            lead={data ? `${counted(data.schema.nodes, "node")} and ${counted(data.schema.edges, "relationship")}, as far as you may see them.` : "What there is, and what joins it."}
            actions={
                writes && (
                    <Button icon="plus" onClick={() => make(true)}>
                        New node
                    </Button>
                )
            }
        >
            {making && <NodeForm node={null} onClose={() => make(false)} onStored={again} />}
            {error && <ErrorNotice error={error} again={again} />}
            {!error && !data && <Loading what="Loading the schema" lines={22} />}
            {data && data.schema.nodes === 0 && (
                <Empty icon="graph" title="The graph has no nodes that you may see">
                    Nodes come with <code>cairn graph import</code> or <code>POST /api/graph/import</code>.
                </Empty>
            )}
            {data && data.schema.nodes > 0 && (
                <div class="stack">
                    <Card
                        title="What joins what"
                        actions={
                            <>
                                <Badge>{counted(data.schema.labels.length, "label")}</Badge>
                                <Badge>{counted(data.schema.relationship_types.length, "type")}</Badge>
                            </>
                        }
                    >
                        <SchemaPicture schema={data.schema} links={data.links} />
                    </Card>
                    <div>
                        <Tabs label="Lists" tabs={tabs} chosen={tab} onChoose={(id) => setQuery({ tab: id === "labels" ? null : id, sort: null }, { replace: true })}>
                            <Lists schema={data.schema} tab={tab} sort={sort} />
                        </Tabs>
                    </div>
                </div>
            )}
        </Around>
    );
}
