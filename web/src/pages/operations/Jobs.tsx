// All that takes longer than a request, as it goes on: what runs is told by the server.
import type { PageProps } from "../../areas";
import { api } from "../../api";
import type { Schemas } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { SelectField, TextField } from "../../ui/Field";
import { hasEnded, useLive } from "../../ui/follow";
import { count, moment } from "../../ui/format";
import { useDebounced, useEvery, useLoad } from "../../ui/hooks";
import { CancelJob, jobPath } from "../../ui/Job";
import type { Job } from "../../ui/Job";
import { Badge, Progress } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Paging } from "../../ui/Table";
import { sentence } from "../../words";

const states: Record<Job["state"], { text: string; kind: "plain" | "ok" | "danger" | "accent" }> = {
    queued: { text: "Waits", kind: "plain" },
    running: { text: "Running", kind: "accent" },
    done: { text: "Done", kind: "ok" },
    failed: { text: "Failed", kind: "danger" },
    cancelled: { text: "Cancelled", kind: "plain" },
};

function JobRow({ job, again }: { job: Job; again: () => void }) {
    const session = useSession();
    const over = hasEnded(job);
    const ended = job.done + job.failed;
    const state = states[job.state];
    const name = job.kind.replaceAll("_", " ");
    return (
        <li class="job-line">
            <div class="job-line-head">
                <Badge kind={state.kind}>{state.text}</Badge>
                <b>{name}</b>
                {job.file_name && <span class="break">{job.file_name}</span>}
                <span class="small quiet">{moment(job.created_at)}</span>
            </div>
            <Progress label={`${name} of ${moment(job.created_at)}`} share={job.total > 0 ? ended / job.total : over ? 1 : null} />
            <div class="row">
                <span>
                    {count(job.done)} of {count(job.total)} done{job.failed > 0 && `, ${count(job.failed)} failed`}
                </span>
                {job.error && <span class="small break">{sentence(job.error)}</span>}
                {!over && session.may("write_documents") && <CancelJob job={job} onCancelled={again} />}
            </div>
        </li>
    );
}

export function Jobs({ query }: Pick<PageProps, "query">) {
    const asked = { state: query.get("state") ?? "", kind: query.get("kind") ?? "", page: Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1) };
    const late = useDebounced(JSON.stringify(asked), 200);
    const { data, error, again } = useLoad(late, (signal) => api.get<Schemas["JobPage"]>("/api/jobs", { query: { ...asked, per_page: 20 }, signal }));
    useEvery(5000, again); // new ones; what goes on is told by itself
    const jobs = useLive(data?.jobs ?? [], (job) => jobPath(job.job_id), again);
    const change = (name: string) => (event: { currentTarget: { value: string } }) => setQuery({ [name]: event.currentTarget.value, page: null }, { replace: true });
    return (
        <div class="stack">
            <div class="filters">
                <SelectField label="State" value={asked.state} onChange={change("state")} choices={[{ value: "", text: "All" }, ...Object.entries(states).map(([value, { text }]) => ({ value, text }))]} />
                <TextField label="Kind" placeholder="ingest" maxLength={64} value={asked.kind} onInput={change("kind")} />
            </div>
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Reading the jobs" lines={8} />}
            {data && data.jobs.length === 0 && (
                <Empty icon="clock" title="There are no such jobs">
                    Imports, analyses and new vectors are made by jobs.
                </Empty>
            )}
            {data && data.jobs.length > 0 && (
                <>
                    <ul class="job-lines" aria-label="Jobs">
                        {jobs.map((job) => (
                            <JobRow key={job.job_id} job={job} again={again} />
                        ))}
                    </ul>
                    <Paging page={data.pagination.page} pages={data.pagination.total_pages} total={data.pagination.total_count} onPage={(to) => setQuery({ page: to === 1 ? null : to })} />
                </>
            )}
        </div>
    );
}
