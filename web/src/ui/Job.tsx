// A job that is followed until it ends, as the server tells of it (server-sent events), so
// that who loads the page anew sees it go on. Where no stream is to be had (too many of
// them, a proxy that holds them back) it is asked for again and again.
import { useEffect, useState } from "preact/hooks";
import { api, segment, wasAborted } from "../api";
import type { ApiError, Schemas } from "../api";
import { Button } from "./Button";
import { count } from "./format";
import { asError } from "./hooks";
import { Progress } from "./Small";
import { toast } from "./Toast";

export type Job = Schemas["Job"];
const ended = new Set(["done", "failed", "cancelled"]);
const path = (id: string) => "/api/jobs/" + segment(id);

export function hasEnded(job: Job | null): boolean {
    return job !== null && ended.has(job.state);
}

interface Followed {
    job: Job | null;
    error: ApiError | null;
}

/** Tells of the job until it has ended or `signal` is given up. */
function follow(id: string, signal: AbortSignal, tell: (what: Partial<Followed>) => void): void {
    let timer = 0;
    const source = new EventSource(path(id) + "/events");
    const ask = async () => {
        try {
            const job = await api.get<Job>(path(id), { signal });
            tell({ job, error: null });
            if (!hasEnded(job)) timer = window.setTimeout(() => void ask(), 1000);
        } catch (fault) {
            if (signal.aborted || wasAborted(fault)) return;
            const error = asError(fault);
            tell({ error });
            // what passes is waited out; a job that is not there never will be
            if (error.status === 0 || error.status === 429 || error.status >= 500) timer = window.setTimeout(() => void ask(), 3000);
        }
    };
    const take = (event: MessageEvent<string>) => {
        const job = JSON.parse(event.data) as Job;
        if (hasEnded(job)) source.close();
        tell({ job, error: null });
    };
    source.addEventListener("progress", take);
    source.addEventListener("end", take);
    // a stream that broke is taken up again by the browser; one that was refused is not
    source.onerror = () => {
        if (source.readyState === EventSource.CLOSED && !signal.aborted) void ask();
    };
    signal.addEventListener("abort", () => {
        source.close();
        clearTimeout(timer);
    });
}

export function useJob(id: string | null): Followed {
    const [state, setState] = useState<Followed>({ job: null, error: null });
    useEffect(() => {
        setState({ job: null, error: null });
        if (!id) return undefined;
        const abort = new AbortController();
        follow(id, abort.signal, (what) => abort.signal.aborted || setState((old) => ({ ...old, ...what })));
        return () => abort.abort();
    }, [id]);
    return state;
}

export function JobProgress({ job, what }: { job: Job | null; what: string }) {
    return (
        <div class="stack" role="status">
            <p>
                {what}
                {job && job.total > 0 ? ` ${count(job.done + job.failed)} of ${count(job.total)}` : "…"}
            </p>
            <Progress label={what} share={job && job.total > 0 ? (job.done + job.failed) / job.total : null} />
        </div>
    );
}

/** What is done stays done. */
export function CancelJob({ job, onCancelled }: { job: Job; onCancelled?: () => void }) {
    const [busy, setBusy] = useState(false);
    const cancel = () => {
        setBusy(true);
        api.del(path(job.job_id)).then(
            () => {
                toast({ text: "The job is cancelled. What was done stays done." });
                onCancelled?.();
            },
            (fault: unknown) => {
                toast({ text: asError(fault).message, kind: "danger" });
                setBusy(false);
            },
        );
    };
    return (
        <Button icon="close" busy={busy} onClick={cancel}>
            Cancel
        </Button>
    );
}
