// What takes longer than a request, as it goes on.
import { useState } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { setQuery } from "../../router";
import { Button } from "../../ui/Button";
import { SelectField } from "../../ui/Field";
import { count, moment } from "../../ui/format";
import { asError, useEvery, useLoad } from "../../ui/hooks";
import { Badge, Progress } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Paging } from "../../ui/Table";
import { toast } from "../../ui/Toast";
import { sentence } from "../../words";
import type { Job } from "./model";

const states: Record<Job["state"], { text: string; kind: "plain" | "ok" | "warn" | "danger" | "accent" }> = {
    queued: { text: "Waits", kind: "plain" },
    running: { text: "Running", kind: "accent" },
    done: { text: "Done", kind: "ok" },
    failed: { text: "Failed", kind: "danger" },
    cancelled: { text: "Cancelled", kind: "plain" },
};

function isOpen(job: Job): boolean {
    return job.state === "queued" || job.state === "running";
}

/** Why things failed: the list of jobs does not say, the job itself does. */
function Reasons({ job }: { job: Job }) {
    const { data, error, again } = useLoad(`${job.job_id} ${job.failed} ${job.state}`, (signal) => api.get<Job>("/api/jobs/" + segment(job.job_id), { signal }));
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Loading the reasons" lines={2} />;
    return (
        <>
            {data.error && <p>{sentence(data.error)}</p>}
            <ul>
                {data.errors.map((one, i) => (
                    <li key={i} class="break">
                        <b>{one.item}</b>: {sentence(one.error)}
                    </li>
                ))}
            </ul>
        </>
    );
}

function Errors({ job }: { job: Job }) {
    const [open, setOpen] = useState(false);
    if (job.failed === 0 && job.state !== "failed") return null;
    return (
        <details class="job-errors" onToggle={(event) => setOpen(event.currentTarget.open)}>
            <summary>Why it failed</summary>
            {open && <Reasons job={job} />}
        </details>
    );
}

function JobCard({ job, again }: { job: Job; again: () => void }) {
    const [busy, setBusy] = useState(false);
    const state = states[job.state];
    const ask = async (what: () => Promise<unknown>, told: string) => {
        setBusy(true);
        try {
            await what();
            toast({ text: told });
        } catch (fault) {
            toast({ kind: "danger", text: asError(fault).message });
        }
        setBusy(false);
        again();
    };
    const path = "/api/jobs/" + segment(job.job_id);
    const ended = job.done + job.failed;
    return (
        <li class="job">
            <div class="job-head">
                <Badge kind={state.kind}>{state.text}</Badge>
                <b>{job.kind.replaceAll("_", " ")}</b>
                {job.file_name && <span class="break">{job.file_name}</span>}
                <span class="quiet small">
                    {moment(job.created_at)}
                    {job.finished_at && ` to ${moment(job.finished_at)}`}
                    {job.created_by && ` · by ${job.created_by}`}
                </span>
            </div>
            <Progress label={`Job of ${moment(job.created_at)}`} share={job.total > 0 ? ended / job.total : isOpen(job) ? null : 1} />
            <div class="row">
                <span>
                    {count(job.done)} {job.total > 0 && `of ${count(job.total)} `}
                    done{job.total === 0 && isOpen(job) && " so far"}
                    {job.failed > 0 && <span class="job-failed">, {count(job.failed)} failed</span>}
                </span>
                {isOpen(job) && (
                    <Button busy={busy} icon="close" onClick={() => void ask(() => api.del(path), "The job is cancelled")}>
                        Cancel
                    </Button>
                )}
                {!isOpen(job) && job.state !== "cancelled" && (job.failed > 0 || job.state === "failed") && (
                    <Button busy={busy} icon="refresh" onClick={() => void ask(() => api.post(path + "/retry"), "What failed is tried again")}>
                        Try what failed again
                    </Button>
                )}
            </div>
            <Errors job={job} />
        </li>
    );
}

export function Jobs({ query }: { query: URLSearchParams }) {
    const state = query.get("state") ?? "";
    const page = Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
    const { data, error, again } = useLoad(JSON.stringify([state, page]), (signal) =>
        api.get<Schemas["JobPage"]>("/api/jobs", { query: { state, page, per_page: 20 }, signal }),
    );
    useEvery(data?.jobs.some(isOpen) ? 1000 : 5000, again);
    return (
        <div class="stack">
            <div class="list-filters">
                <SelectField
                    label="State"
                    value={state}
                    onChange={(event) => setQuery({ state: event.currentTarget.value, page: null })}
                    choices={[{ value: "", text: "All" }, ...Object.entries(states).map(([value, { text }]) => ({ value, text }))]}
                />
            </div>
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the jobs" lines={8} />}
            {data && data.jobs.length === 0 && (
                <Empty icon="clock" title="There are no jobs">
                    An NDJSON file that is added to the documents becomes one.
                </Empty>
            )}
            {data && data.jobs.length > 0 && (
                <>
                    <ul class="jobs" aria-label="Jobs">
                        {data.jobs.map((job) => (
                            <JobCard key={job.job_id} job={job} again={again} />
                        ))}
                    </ul>
                    <Paging page={data.pagination.page} pages={data.pagination.total_pages} onPage={(to) => setQuery({ page: to === 1 ? null : to })} />
                </>
            )}
        </div>
    );
}
