// What is computed of the graph as a whole: asked for, followed, cancelled, read. The
// analysis that is shown stands in the address.
import { useState } from "preact/hooks";
import { api } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { hasEnded } from "../../ui/follow";
import { counted, moment } from "../../ui/format";
import { asError, useLoad, useTitle } from "../../ui/hooks";
import { CancelJob, JobProgress, useJob } from "../../ui/Job";
import type { Job } from "../../ui/Job";
import { Badge, Card } from "../../ui/Small";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { sentence } from "../../words";
import { AnalysisResult } from "./AnalysisResult";
import { Around } from "./Around";
import type { Schema } from "./model";

const kinds = [
    { value: "pagerank", text: "Importance (PageRank)", told: "A node matters if nodes that matter lead to it." },
    { value: "degree", text: "Relationships (degree)", told: "How many relationships each node has." },
    { value: "components", text: "Separate parts (components)", told: "Which nodes are joined with each other at all, by whatever way." },
    { value: "communities", text: "Communities (Louvain)", told: "Groups of nodes that are joined among themselves more than with others." },
];

interface Form {
    kind: string;
    label: string;
    type: string;
    property: string;
    direction: string;
    damping: string;
    resolution: string;
    top: string;
}
const begin: Form = { kind: "pagerank", label: "", type: "", property: "", direction: "both", damping: "0.85", resolution: "1", top: "20" };

/** Only what the kind knows. */
function bodyOf(form: Form) {
    const { kind, label, type, property } = form;
    const parameters = {
        top: Number(form.top),
        ...(kind === "degree" ? { direction: form.direction } : {}),
        ...(kind === "pagerank" ? { damping: Number(form.damping) } : {}),
        ...(kind === "communities" ? { resolution: Number(form.resolution) } : {}),
    };
    return { kind, ...(label ? { label } : {}), ...(type ? { type } : {}), ...(property ? { write_property: property } : {}), parameters };
}

type Set = (name: keyof Form) => (event: { currentTarget: { value: string } }) => void;

/** What one kind alone has. */
function Own({ form, set, wrong }: { form: Form; set: Set; wrong: (field: string) => string | null }) {
    if (form.kind === "degree")
        return (
            <SelectField
                label="Which relationships"
                value={form.direction}
                onChange={set("direction")}
                choices={[{ value: "both", text: "All" }, { value: "out", text: "Those that begin at it" }, { value: "in", text: "Those that lead to it" }]}
            />
        );
    if (form.kind === "pagerank")
        return <TextField label="Damping" type="number" step="any" min={0} max={0.999} required help="The share that goes on from node to node" value={form.damping} error={wrong("parameters.damping")} onInput={set("damping")} />;
    if (form.kind === "communities")
        return <TextField label="Resolution" type="number" step="any" min={0.001} max={1000} required help="Above 1: more and smaller groups" value={form.resolution} error={wrong("parameters.resolution")} onInput={set("resolution")} />;
    return null;
}

function Ask({ schema, onBegun }: { schema: Schema; onBegun: (id: string) => void }) {
    const session = useSession();
    const [form, setForm] = useState(begin);
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const set: Set = (name) => (event) => setForm({ ...form, [name]: event.currentTarget.value });
    const wrong = (field: string) => (error?.field === field ? error.message : null);
    const run = async () => {
        setBusy(true);
        setError(null);
        try {
            onBegun((await api.post<Schemas["GraphAnalysisJob"]>("/api/graph/analysis", bodyOf(form))).job_id);
        } catch (fault) {
            setError(asError(fault));
        }
        setBusy(false);
    };
    const named = (all: string, list: readonly { name: string }[]) => [{ value: "", text: all }, ...list.map(({ name }) => ({ value: name, text: name }))];
    return (
        <form
            class="analysis-form"
            aria-label="Analysis"
            onSubmit={(event) => {
                event.preventDefault();
                void run();
            }}
        >
            <SelectField label="What is computed" value={form.kind} choices={kinds} help={kinds.find((one) => one.value === form.kind)?.told} onChange={set("kind")} />
            <SelectField label="Of nodes" value={form.label} choices={named("All that I may see", schema.labels)} onChange={set("label")} />
            <SelectField label="Along relationships" value={form.type} choices={named("Of every type", schema.relationship_types)} onChange={set("type")} />
            <Own form={form} set={set} wrong={wrong} />
            <TextField label="How many are named" type="number" min={0} max={100} required value={form.top} error={wrong("parameters.top")} onInput={set("top")} />
            {session.may("write_graph") && (
                <TextField label="Keep it as the property" help="Each node gets its figure, or the number of its group. Empty: nothing is changed" maxLength={250} value={form.property} error={wrong("write_property")} onInput={set("property")} />
            )}
            {error && !error.field?.match(/^(write_property|parameters\.(damping|resolution|top))$/) && <ErrorNotice error={error} />}
            <div class="analysis-run">
                <Button kind="primary" icon="play" type="submit" busy={busy}>
                    Compute
                </Button>
            </div>
        </form>
    );
}

function Followed({ id, schema }: { id: string; schema: Schema }) {
    const session = useSession();
    const { job, error } = useJob(id);
    return (
        <Card title="Result" {...(job && !hasEnded(job) && session.may("write_documents") ? { actions: <CancelJob job={job} /> } : {})}>
            {error && <ErrorNotice error={error} />}
            {!error && !hasEnded(job) && <JobProgress job={job} what={job?.state === "running" ? "Being computed." : "Waiting for its turn."} />}
            {job?.state === "cancelled" && <Notice>It was cancelled.</Notice>}
            {job?.state === "failed" && <Notice kind="warn">{sentence(job.error ?? "It failed")}</Notice>}
            {job?.state === "done" && <AnalysisResult result={job.result} schema={schema} />}
        </Card>
    );
}

function Earlier({ shown }: { shown: string }) {
    const { data } = useLoad(shown, (signal) => api.get<Schemas["JobPage"]>("/api/jobs", { query: { kind: "graph_analysis", per_page: 10 }, signal }));
    const list = data?.jobs ?? [];
    if (list.length === 0) return null;
    const state = (job: Job) => (job.state === "done" ? "ok" : job.state === "failed" ? "danger" : "plain");
    return (
        <Card title="Earlier ones">
            <ul class="analysis-list" aria-label="Earlier ones">
                {list.map((job) => (
                    <li key={job.job_id}>
                        <a href={"/graph/analyses?job=" + job.job_id} aria-current={job.job_id === shown ? "page" : undefined}>
                            {moment(job.created_at)}
                        </a>
                        <Badge kind={state(job)}>{job.state}</Badge>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

export function AnalysesPage({ query }: { query: URLSearchParams }) {
    useTitle("Analyses · Graph");
    const { data, error, again } = useLoad("schema", (signal) => api.get<Schema>("/api/graph/schema", { signal }));
    const shown = query.get("job") ?? "";
    return (
        <Around title="Analyses" lead={data ? `Of ${counted(data.nodes, "node")} and ${counted(data.edges, "relationship")}, as far as you may see them.` : "Of the graph as a whole."}>
            {error && <ErrorNotice error={error} again={again} />}
            {!error && !data && <Loading what="Loading the schema" lines={16} />}
            {data && (
                <div class="analysis-split">
                    <div class="stack">
                        <Card>
                            <Ask schema={data} onBegun={(id) => setQuery({ job: id })} />
                        </Card>
                        <Earlier shown={shown} />
                    </div>
                    {shown && <Followed key={shown} id={shown} schema={data} />}
                </div>
            )}
        </Around>
    );
}
