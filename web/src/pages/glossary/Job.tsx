// A job that is followed until it ends: looked at again and again, so that who loads the
// page anew sees it go on.
import { useEffect, useState } from "preact/hooks";
import { api, segment, wasAborted } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { count } from "../../ui/format";
import { asError } from "../../ui/hooks";
import { Progress } from "../../ui/Small";

export type Job = Schemas["Job"];
const ended = new Set(["done", "failed", "cancelled"]);

export function hasEnded(job: Job | null): boolean {
    return job !== null && ended.has(job.state);
}

export function useJob(id: string | null): { job: Job | null; error: ApiError | null } {
    const [state, setState] = useState<{ job: Job | null; error: ApiError | null }>({ job: null, error: null });
    useEffect(() => {
        setState({ job: null, error: null });
        if (!id) return undefined;
        const abort = new AbortController();
        let timer = 0;
        const ask = async () => {
            try {
                const job = await api.get<Job>(`/api/jobs/${segment(id)}`, { signal: abort.signal });
                if (abort.signal.aborted) return;
                setState({ job, error: null });
                if (!hasEnded(job)) timer = window.setTimeout(() => void ask(), 700);
            } catch (fault) {
                if (abort.signal.aborted || wasAborted(fault)) return;
                const error = asError(fault);
                setState((old) => ({ ...old, error }));
                // what passes is waited out; a job that is not there never will be
                if (error.status === 0 || error.status >= 500) timer = window.setTimeout(() => void ask(), 3000);
            }
        };
        void ask();
        return () => {
            abort.abort();
            clearTimeout(timer);
        };
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
