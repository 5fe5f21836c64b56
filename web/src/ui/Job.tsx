// A job that is followed until it ends, and shown.
import { useState } from "preact/hooks";
import { api, segment } from "../api";
import type { ApiError, Schemas } from "../api";
import { Button } from "./Button";
import { useFollowed } from "./follow";
import { count } from "./format";
import { asError } from "./hooks";
import { Progress } from "./Small";
import { toast } from "./Toast";

export type Job = Schemas["Job"];
export const jobPath = (id: string) => "/api/jobs/" + segment(id);

export function useJob(id: string | null): { job: Job | null; error: ApiError | null } {
    const { now, error } = useFollowed<Job>(id ? jobPath(id) : null);
    return { job: now, error };
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
        api.del(jobPath(job.job_id)).then(
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
