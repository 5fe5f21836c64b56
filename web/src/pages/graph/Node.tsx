// A node: what is known of it, what it is joined with, and what is like it.
import { useEffect, useState } from "preact/hooks";
import { api, segment, wasAborted } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { useSession } from "../../session";
import { Button, IconButton } from "../../ui/Button";
import { count, counted } from "../../ui/format";
import { asError, useLoad, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Badge, Card } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Around } from "./Around";
import { Edits } from "./edit/Edits";
import type { Edit } from "./edit/Edits";
import { labelNames, nameOf, picturePath, textOf } from "./model";
import type { Detail, Edge, Node, Schema } from "./model";
import { LabelLink, NodeLine, PropertyList } from "./parts";

type Neighbors = Schemas["GraphNeighbors"];
type Similar = Schemas["GraphSimilar"];
type Group = Detail["relationships"][number];

const PORTION = 10;
const OPEN = 2; // so many groups, the largest, are open from the start

function groupsOf(node: Detail): Group[] {
    return [...node.relationships].sort((a, b) => b.count - a.count || a.type.localeCompare(b.type));
}

function portionOf(id: string, group: Group, cursor?: string | null, signal?: AbortSignal): Promise<Neighbors> {
    const query = { type: group.type, direction: group.direction, limit: PORTION, cursor };
    return api.get(`/api/graph/nodes/${segment(id)}/neighbors`, { query, ...(signal ? { signal } : {}) });
}

let rounds = 0;

interface Begun {
    round: number; // another one each time
    node: Detail;
    portions: (Neighbors | null)[]; // the first of each open group; null: it could not be had
}

/** With what is seen of it from the start: what comes later would move what is below. */
async function begin(id: string, signal: AbortSignal): Promise<Begun> {
    const node = await api.get<Detail>(`/api/graph/nodes/${segment(id)}`, { signal });
    const first = (group: Group) =>
        portionOf(id, group, null, signal).catch((fault: unknown) => {
            if (wasAborted(fault)) throw fault;
            return null;
        });
    return { round: ++rounds, node, portions: await Promise.all(groupsOf(node).slice(0, OPEN).map(first)) };
}

/** Changing and deleting a relationship, where that is allowed. */
type OnEdge = ((what: "change" | "delete", edge: Edge) => void) | undefined;

interface GroupProps {
    id: string;
    group: Group;
    portion: Neighbors | null; // the first, where it is there already
    all: readonly string[];
    onEdge: OnEdge;
}

/** The neighbours of one type and direction, a portion at a time. */
function Neighbours({ id, group, portion, open, all, onEdge }: GroupProps & { open: boolean }) {
    const [portions, setPortions] = useState<Neighbors[]>(portion ? [portion] : []);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<ApiError | null>(null);
    const last = portions.at(-1);
    const more = () => {
        setBusy(true);
        setError(null);
        portionOf(id, group, last?.next_cursor).then(
            (next) => {
                setPortions((list) => [...list, next]);
                setBusy(false);
            },
            (fault: unknown) => {
                setError(asError(fault));
                setBusy(false);
            },
        );
    };
    useEffect(() => {
        if (open && portions.length === 0 && !busy) more();
    }, [open]);
    const nodes = new Map(portions.flatMap((portion) => portion.nodes).map((node) => [node.id, node]));
    const rows = portions.flatMap((portion) => portion.edges);
    return (
        <>
            {!last && !error && <Loading what="Loading what it is joined with" lines={Math.min(group.count, 4)} />}
            <ul class="neighbours">
                {rows.map((edge) => {
                    const other = nodes.get(edge.from === id ? edge.to : edge.from) ?? nodes.get(id);
                    const said = Object.entries(edge.properties as Record<string, unknown>);
                    if (!other) return null;
                    return (
                        <NodeLine key={edge.id} node={other} all={all}>
                            {said.length > 0 && (
                                <span class="small quiet break">{said.map(([name, value]) => `${name}: ${textOf(value)}`).join(" · ")}</span>
                            )}
                            {onEdge && (
                                <span class="node-edge">
                                    <IconButton icon="pencil" label={`Change ${edge.type} with ${nameOf(other)}`} onClick={() => onEdge("change", edge)} />
                                    <IconButton icon="trash" label={`Delete ${edge.type} with ${nameOf(other)}`} onClick={() => onEdge("delete", edge)} />
                                </span>
                            )}
                        </NodeLine>
                    );
                })}
            </ul>
            {error && <ErrorNotice error={error} again={more} />}
            {last?.next_cursor && (
                <Button busy={busy} onClick={more}>
                    More of {count(group.count)}
                </Button>
            )}
        </>
    );
}

function Relationship({ openFirst, ...rest }: GroupProps & { openFirst: boolean }) {
    const [open, setOpen] = useState(openFirst);
    const { group } = rest;
    const out = group.direction === "out";
    return (
        <details class="group" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
            <summary>
                <Icon name="right" size={16} />
                <code>{group.type}</code>
                <span class="quiet small">{out ? "from here →" : "← to here"}</span>
                <Badge>{count(group.count)}</Badge>
            </summary>
            <Neighbours {...rest} open={open} />
        </details>
    );
}

function SimilarNodes({ id, all }: { id: string; all: readonly string[] }) {
    const { data, error, again } = useLoad(id, (signal) =>
        api.get<Similar>(`/api/graph/nodes/${segment(id)}/similar`, { query: { limit: 8 }, signal }),
    );
    if (error?.code === "vectors_not_ready")
        return (
            <div class="stack">
                <p>The embedder is reading the texts of the graph for the first time; until it has read them all, nothing can be compared.</p>
                <p>With many nodes this takes minutes. If it does not end, see under Operations whether the embedder is up.</p>
                <Button icon="refresh" onClick={again}>
                    Look again
                </Button>
            </div>
        );
    if (error?.code === "vectors_off") return <p>Similar nodes are switched off here. Who operates the system switches them on with <code>GRAPH_VECTORS_MAX</code>.</p>;
    if (error?.code === "dependency_unavailable")
        return (
            <div class="stack">
                <p>The graph service does not answer just now, and it alone knows what is like this node. Try again in a moment; Operations shows whether it is up.</p>
                <Button icon="refresh" onClick={again}>
                    Try again
                </Button>
            </div>
        );
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Looking for similar nodes" lines={6} />;
    if (data.nodes.length === 0)
        return <p class="quiet">{data.has_text ? "Nothing is like it." : "It has no text by which it could be compared."}</p>;
    return (
        <>
            <ul class="neighbours" aria-label="Similar nodes, the most alike first">
                {data.nodes.map((node) => (
                    <NodeLine key={node.id} node={node} all={all} />
                ))}
            </ul>
            {data.partial && <p class="small quiet">Not all nodes were compared: there are more than this server keeps in mind.</p>}
        </>
    );
}

function Known({ begun: { node, portions }, all, onEdge }: { begun: Begun; all: readonly string[]; onEdge: OnEdge }) {
    const groups = groupsOf(node);
    return (
        <div class="node-split">
            <div class="stack">
                <Card title="Properties">
                    <PropertyList node={node} kind="properties">
                        <div>
                            <dt>id</dt>
                            <dd>
                                <code class="break">{node.id}</code>
                            </dd>
                        </div>
                    </PropertyList>
                </Card>
                <Card title="Alike">
                    <SimilarNodes id={node.id} all={all} />
                </Card>
            </div>
            <Card title="Relationships" actions={<Badge kind="accent">{count(node.degree)}</Badge>}>
                {groups.length === 0 ? (
                    <p class="quiet">It is joined with nothing that you may see.</p>
                ) : (
                    groups.map((group, i) => <Relationship key={group.type + group.direction} id={node.id} group={group} portion={portions[i] ?? null} openFirst={i < OPEN} all={all} onEdge={onEdge} />)
                )}
            </Card>
        </div>
    );
}

export function NodePage({ id }: { id: string }) {
    const writes = useSession().may("write_graph");
    const [edit, setEdit] = useState<Edit | null>(null);
    const { data: begun, error, again } = useLoad(id, (signal) => begin(id, signal));
    const data = begun?.node ?? null;
    const schema = useLoad("schema", (signal) => api.get<Schema>("/api/graph/schema", { signal }));
    const all = labelNames(schema.data);
    const name = data ? nameOf(data as Node) : id;
    useTitle(name + " · Graph");
    const stored = () => {
        again();
        schema.again();
    };
    return (
        <Around
            title={name}
            lead={
                data && (
                    <span class="badges">
                        {data.labels.map((label) => (
                            <LabelLink key={label} label={label} all={all} />
                        ))}
                        <span>{counted(data.degree, "relationship")}</span>
                    </span>
                )
            }
            actions={
                data && (
                    <>
                        {writes && (
                            <>
                                <Button icon="pencil" onClick={() => setEdit({ what: "node" })}>
                                    Change
                                </Button>
                                <Button icon="link" onClick={() => setEdit({ what: "join" })}>
                                    Join
                                </Button>
                                <Button icon="trash" onClick={() => setEdit({ what: "delete" })}>
                                    Delete
                                </Button>
                            </>
                        )}
                        <a class="button button-primary" href={picturePath(data.id)}>
                            <Icon name="graph" size={18} />
                            Open in the picture
                        </a>
                    </>
                )
            }
        >
            {error?.status === 404 ? (
                <Empty icon="graph" title="There is no such node, or you may not see it">
                    <a href="/graph">Go to the overview</a>
                </Empty>
            ) : (
                error && <ErrorNotice error={error} again={again} />
            )}
            {!error && !data && <Loading what="Loading the node" lines={16} />}
            {begun && schema.data && !error && (
                <Known
                    key={begun.round}
                    begun={begun}
                    all={all}
                    onEdge={writes ? (what, edge) => setEdit({ what: what === "change" ? "edge" : "part", edge }) : undefined}
                />
            )}
            {edit && data && <Edits edit={edit} node={data} schema={schema.data} onClose={() => setEdit(null)} onStored={stored} />}
        </Around>
    );
}
