import { useEffect, useRef } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import type { Act } from "../../ui/act";
import { Button } from "../../ui/Button";
import { hasEnded } from "../../ui/follow";
import { bytes, counted, duration, moment } from "../../ui/format";
import { Badge, Progress } from "../../ui/Small";
import { Table } from "../../ui/Table";
import { toast } from "../../ui/Toast";

type Run = Schemas["BackupRun"];

export const runPath = (run: Run) => "/api/backups/runs/" + segment(run.run_id);
export const under = (run: Run) => !hasEnded(run);

const stages: Record<string, string> = {
    "": "waiting",
    scratch: "starting a PostgreSQL of its own",
    restore: "filling the database beside",
    compare: "comparing with the set",
    maintenance: "refusing changes",
    dump: "saving the database",
    swap: "changing places",
    undo: "going back",
    redo: "bringing it back",
    files: "original documents",
};
const stageOf = (run: Run) => stages[run.stage] ?? run.stage;

/** What of a run's result is of that type. */
function said(run: Run, name: string): unknown {
    return run.result?.[name as keyof typeof run.result];
}

/** The set that it is about; of one that is being made: none yet. */
function setOf(run: Run): string {
    if (run.set) return run.set;
    const set = said(run, "id") ?? said(run, "set") ?? said(run, "removed");
    return typeof set === "string" ? set : "";
}

function took(run: Run): string {
    const ms = Date.parse(run.finished_at ?? "") - Date.parse(run.started_at ?? "");
    return Number.isFinite(ms) && ms >= 0 ? duration(ms / 1000) : "–";
}

/** "found" of a drill: tables with their rows. */
function rows(run: Run): string {
    const found = said(run, "found") as { tables?: Record<string, unknown> } | undefined;
    const counts = Object.values(found?.tables ?? {}).filter((one): one is number => typeof one === "number");
    if (counts.length === 0) return "";
    return `${counted(counts.reduce((all, one) => all + one, 0), "row")} of ${counted(counts.length, "table")} compared`;
}

/** What it came to, in words. */
function outcome(run: Run): string {
    if (run.error) return run.error;
    if (run.state !== "done") return "–";
    const problems = said(run, "problems");
    const level = said(run, "level");
    if (said(run, "ok") === false) return `not good: ${Array.isArray(problems) ? String(problems[0] ?? "") : ""}`;
    if (run.kind === "verify") return level === "checksums" ? "all of it was read; checksums are right" : "all of it was read, and it is whole";
    if (run.kind === "drill" || level === "restored") return ["restored elsewhere, the same", rows(run)].filter(Boolean).join("; ");
    if (run.kind === "restore" && said(run, "safety_backup")) return `in place; what was there is the set ${String(said(run, "safety_backup"))}`;
    if (run.kind === "undo") return said(run, "what") === "redo" ? "the restore was brought back" : "what was there before the restore is back";
    return run.total > 0 ? bytes(run.done) : "–";
}

const proves = (run: Run) => run.kind === "verify" || run.kind === "drill";

/** Which run looked at a set last, and what came of it; nothing when none of the last runs did. */
export function LastProof({ set, runs }: { set: string; runs: readonly Run[] }) {
    const run = runs.find((one) => proves(one) && setOf(one) === set);
    if (!run) return null;
    const by = run.created_by ? ` by ${run.created_by}` : "";
    const name = `${run.kind}${by}, ${moment(run.finished_at ?? run.started_at ?? run.created_at)}`;
    return (
        <div class="small quiet last-proof">
            {name}: {under(run) ? stageOf(run) : run.state === "done" ? outcome(run) : `${run.state}: ${outcome(run)}`}
        </div>
    );
}

/** Says how those ended that were seen under way; changes whenever one has. null: not known. */
export function useEnds(runs: readonly Run[] | null): string {
    const open = useRef(new Set<string>());
    const ended = (runs ?? []).filter(hasEnded);
    const key = ended.map((run) => run.run_id).join(" ");
    useEffect(() => {
        for (const run of ended) {
            if (!open.current.delete(run.run_id) || !["restore", "undo"].includes(run.kind)) continue;
            toast(run.state === "done" ? { text: `The ${run.kind} is done: ${outcome(run)}.` } : { text: `The ${run.kind} ${run.state}: ${outcome(run)}`, kind: "danger", seconds: 0 });
        }
        for (const run of runs ?? []) if (under(run)) open.current.add(run.run_id);
    });
    return key;
}

/** What runs, or ran lately; what runs can be cancelled. */
export function Runs({ runs, act }: { runs: readonly Run[]; act: Act }) {
    if (runs.length === 0) return <p class="quiet">Nothing has run yet.</p>;
    return (
        <Table
            caption="Runs, newest first"
            rows={runs.slice(0, 12)}
            keyOf={(run) => run.run_id}
            columns={[
                {
                    name: "kind",
                    title: "Run",
                    show: (run) => (
                        <>
                            {run.kind.replaceAll("_", " ")}
                            {setOf(run) ? (
                                <>
                                    <br />
                                    <code class="small">{setOf(run)}</code>
                                </>
                            ) : (
                                run.kind === "create" && <span class="small quiet"> a new set</span>
                            )}
                        </>
                    ),
                },
                { name: "state", title: "State", show: (run) => <Badge kind={stateKind(run)}>{run.state}</Badge> },
                {
                    name: "stage",
                    title: "How far, or what came of it",
                    show: (run) =>
                        under(run) ? (
                            <div class="run-bar">
                                <span class="small">{stageOf(run)}</span>
                                <Progress label={`${run.kind}: ${stageOf(run)}`} share={run.total > 0 ? run.done / run.total : null} />
                            </div>
                        ) : (
                            <span class="small">{outcome(run)}</span>
                        ),
                },
                { name: "when", title: "Begun", show: (run) => moment(run.started_at ?? run.created_at) },
                { name: "took", title: "Took", numeric: true, show: took },
                {
                    name: "act",
                    title: "What can be done",
                    show: (run) =>
                        under(run) ? (
                            <Button kind="quiet" onClick={() => act(() => api.del(runPath(run)), "The run is being cancelled.")}>
                                Cancel
                            </Button>
                        ) : (
                            "–"
                        ),
                },
            ]}
        />
    );
}

function stateKind(run: Run): "ok" | "danger" | "plain" | "accent" {
    return run.state === "done" ? "ok" : run.state === "failed" ? "danger" : run.state === "cancelled" ? "plain" : "accent";
}
