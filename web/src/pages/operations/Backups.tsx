import { useEffect, useState } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { acting, sayFault } from "../../ui/act";
import type { Act } from "../../ui/act";
import { Button } from "../../ui/Button";
import { Confirm, Dialog } from "../../ui/Dialog";
import { SelectField, TextField } from "../../ui/Field";
import { awaitEnd, useLive } from "../../ui/follow";
import { bytes, count, moment } from "../../ui/format";
import { useEvery, useLoad } from "../../ui/hooks";
import { Badge, Card } from "../../ui/Small";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";
import { LastProof, Runs, runPath, under, useEnds } from "./BackupRuns";
import { Undo, undoWords } from "./BackupUndo";
import { inWords } from "./cron";

type Set = Schemas["Backups"]["backups"][number];
type Run = Schemas["BackupRun"];
type Schedule = Schemas["BackupSchedule"];

const kinds = [
    { value: "full", text: "Full: database, originals and settings" },
    { value: "physical", text: "Physical: the server's files, for any moment since" },
    { value: "files", text: "Originals only" },
    { value: "config", text: "Settings only" },
];

const proofs: Record<string, string> = { restored: "restored", archive: "archive read", checksums: "checksums" };

function Proof({ set }: { set: Set }) {
    if (set.proven === "restored") return <Badge kind="ok">proven by a restore</Badge>;
    if (set.verified) return <Badge kind="accent">{proofs[set.proven] ?? "verified"}</Badge>;
    return <Badge kind="warn">not verified</Badge>;
}

function Plan({ schedule }: { schedule: Schedule }) {
    const next = schedule.next[0];
    return (
        <>
            {schedule.late && (
                <Notice kind="warn">
                    <p>The last full backup is late.</p>
                </Notice>
            )}
            <p>
                {schedule.schedule === ""
                    ? "No backups are made by themselves."
                    : `Made by themselves: ${inWords(schedule.schedule)} (${schedule.timezone || "UTC"}), next ${moment(next)}.`}
            </p>
        </>
    );
}

function Make({ onClose, act }: { onClose: () => void; act: Act }) {
    const [kind, setKind] = useState("full");
    const [label, setLabel] = useState("");
    return (
        <Dialog
            title="Make a backup"
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button
                        kind="primary"
                        onClick={() => {
                            onClose();
                            act(() => api.post("/api/backups", { kind, label }), "The backup has begun.");
                        }}
                    >
                        Make it
                    </Button>
                </>
            }
        >
            <div class="stack">
                <SelectField label="What of" choices={kinds} value={kind} onChange={(event) => setKind(event.currentTarget.value)} />
                <TextField label="Label" help="For people: why it was made" maxLength={250} value={label} onInput={(event) => setLabel(event.currentTarget.value)} />
            </div>
        </Dialog>
    );
}

const targets = [
    { value: "scratch", text: "A drill: into a PostgreSQL of its own, compared, removed" },
    { value: "database", text: "A new database beside the one in use" },
    { value: "files", text: "Originals that are missing" },
    { value: "live", text: "In place of everything that is there now" },
];

/** Nothing is replaced unless the set's id was typed. */
function Restore({ set, onClose, act }: { set: Set; onClose: () => void; act: Act }) {
    const [target, setTarget] = useState("scratch");
    const [database, setDatabase] = useState("");
    const [confirm, setConfirm] = useState("");
    const [until, setUntil] = useState("");
    const live = target === "live";
    const timed = set.kind === "physical" && target !== "files";
    const query = timed && until !== "" ? `?until=${segment(until)}` : "";
    const then = !timed ? moment(set.created_at) : until === "" ? "the end of the stored log" : until;
    const complete = live ? confirm === set.id : target !== "database" || database !== "";
    const body = { target, ...(target === "database" ? { database } : {}), ...(live ? { confirm } : {}) };
    return (
        <Dialog
            title={`Restore ${set.label || set.id}`}
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button
                        kind={live ? "danger" : "primary"}
                        disabled={!complete}
                        onClick={() => {
                            onClose();
                            act(() => api.post(`/api/backups/${segment(set.id)}/restore${query}`, body), "The restore has begun.");
                        }}
                    >
                        Restore
                    </Button>
                </>
            }
        >
            <div class="stack">
                <SelectField label="Where to" choices={targets} value={target} onChange={(event) => setTarget(event.currentTarget.value)} />
                {target === "database" && <TextField label="Name of the new database" required value={database} onInput={(event) => setDatabase(event.currentTarget.value)} />}
                {timed && (
                    <TextField
                        label="As it was at"
                        help={`A time such as 2026-01-31T12:00:00Z; empty: ${target === "scratch" ? "as the set was made" : "all that is stored of the log"}`}
                        maxLength={47}
                        value={until}
                        onInput={(event) => setUntil(event.currentTarget.value.trim())}
                    />
                )}
                {live && (
                    <>
                        <Notice kind="warn">
                            <p>
                                All documents, terms and the graph become what they were at {then}, and so does all else in the database: users, their passwords and API keys. A user or
                                a key made since then is gone; a key revoked since then is good again. What is there now is saved first, and changes are refused until it is done. It can be
                                undone until the next one.
                            </p>
                        </Notice>
                        <TextField label={`Type ${set.id} to confirm`} autocomplete="off" spellcheck={false} value={confirm} onInput={(event) => setConfirm(event.currentTarget.value)} />
                    </>
                )}
            </div>
        </Dialog>
    );
}

function Sets({ sets, runs, act, ask }: { sets: readonly Set[]; runs: readonly Run[]; act: Act; ask: (what: Asked) => void }) {
    return (
        <Table
            caption="Backup sets, newest first"
            rows={sets}
            keyOf={(set) => set.id}
            columns={[
                {
                    name: "set",
                    title: "Set",
                    show: (set) => (
                        <>
                            <strong>{set.label || set.kind}</strong>
                            <br />
                            <code class="small">{set.id}</code>
                        </>
                    ),
                },
                { name: "made", title: "Made", show: (set) => moment(set.created_at) },
                { name: "size", title: "Size", numeric: true, show: (set) => bytes(set.size_bytes) },
                {
                    name: "proof",
                    title: "Good?",
                    show: (set) => (
                        <>
                            <Proof set={set} />
                            <LastProof set={set.id} runs={runs} />
                        </>
                    ),
                },
                {
                    name: "acts",
                    title: "What can be done",
                    show: (set) => (
                        <div class="row">
                            <Button kind="quiet" title="Reads all of the set again and compares checksums" onClick={() => act(() => api.post(`/api/backups/${segment(set.id)}/verify`), "The set is being read.")}>
                                Verify
                            </Button>
                            <Button kind="quiet" title="Restores it into a PostgreSQL of its own, compares, and removes that again" onClick={() => act(() => api.post(`/api/backups/${segment(set.id)}/drill`), "The set is being restored into a PostgreSQL of its own, to prove it; nothing that is in use changes.")}>
                                Drill
                            </Button>
                            <Button kind="quiet" onClick={() => ask({ what: "restore", set })}>
                                Restore
                            </Button>
                            <Button kind="quiet" onClick={() => ask({ what: "delete", set })}>
                                Delete
                            </Button>
                        </div>
                    ),
                },
            ]}
        />
    );
}

type Asked = { what: "make" } | { what: "restore" | "delete"; set: Set } | { what: "undo" } | { what: "prune"; ids: string[] };

function PruneQuestion({ ids, onYes, onClose }: { ids: string[]; onYes: () => void; onClose: () => void }) {
    if (ids.length === 0)
        return (
            <Dialog title="Nothing to remove" onClose={onClose}>
                <p>Every set is kept by a rule.</p>
            </Dialog>
        );
    return (
        <Confirm title="Remove old sets?" yes={`Remove ${count(ids.length)}`} onYes={onYes} onClose={onClose}>
            <p>No rule keeps these:</p>
            <ul>
                {ids.map((id) => (
                    <li key={id}>
                        <code>{id}</code>
                    </li>
                ))}
            </ul>
        </Confirm>
    );
}

/** What a dry run says: the ids of the sets that no rule keeps. */
async function wouldRemove(): Promise<string[]> {
    const begun = await api.post<Run>("/api/backups/prune", { dry_run: true });
    const run = await awaitEnd<Run>(runPath(begun));
    if (run.state !== "done") throw new Error(run.error);
    const said = (run.result ?? {}) as { removed?: unknown; would_remove?: unknown };
    const list = said.would_remove ?? said.removed;
    return Array.isArray(list) ? list.map((one) => (typeof one === "string" ? one : String((one as { id?: unknown }).id))) : [];
}

export function Backups() {
    const sets = useLoad("sets", (signal) => api.get<Schemas["Backups"]>("/api/backups", { signal }));
    const runs = useLoad("runs", (signal) => api.get<Schemas["BackupRuns"]>("/api/backups/runs", { signal }));
    const schedule = useLoad("schedule", (signal) => api.get<Schedule>("/api/backups/schedule", { signal }));
    const [asked, ask] = useState<Asked | null>(null);
    const close = () => ask(null);
    const again = () => {
        sets.again();
        runs.again();
        schedule.again();
    };
    const live = useLive(runs.data?.runs ?? [], runPath, runs.again);
    useEvery(3000, runs.again); // those of others; what goes on is told by itself
    useEvery(10_000, sets.again); // that others made, or copied
    const ended = useEnds(runs.data ? live : null);
    useEffect(again, [ended]); // it may have made a set, removed one, or can be undone
    const act = acting(again);
    const undo = undoWords(schedule.data?.undo);
    const prune = () => {
        wouldRemove().then((ids) => ask({ what: "prune", ids }), sayFault);
    };
    const error = sets.error ?? runs.error ?? schedule.error;
    if (!sets.data || !runs.data || !schedule.data) return error ? <ErrorNotice error={error} again={again} /> : <Loading what="Looking for sets" lines={8} />;
    return (
        <div class="stack">
            {error && <ErrorNotice error={error} again={again} />}
            <Card
                title="Backups"
                actions={
                    <>
                        <Button disabled={!undo.can || live.some(under)} title={undo.why} onClick={() => ask({ what: "undo" })}>
                            {undo.title}
                        </Button>
                        <Button onClick={prune}>Remove old ones</Button>
                        <Button kind="primary" icon="plus" onClick={() => ask({ what: "make" })}>
                            Make a backup
                        </Button>
                    </>
                }
            >
                <Plan schedule={schedule.data} />
                <p class="quiet small">{undo.why}</p>
            </Card>
            {sets.data.backups.length === 0 ? (
                <Empty icon="shield" title="There is no backup yet">
                    Make one now; it is restored elsewhere and compared, so that it is known to be good.
                </Empty>
            ) : (
                <Sets sets={sets.data.backups} runs={live} act={act} ask={ask} />
            )}
            <section class="stack" aria-label="Runs">
                <h2>Runs</h2>
                <Runs runs={live} act={act} />
            </section>
            {asked?.what === "make" && <Make onClose={close} act={act} />}
            {asked?.what === "restore" && <Restore set={asked.set} onClose={close} act={act} />}
            {asked?.what === "delete" && (
                <Confirm
                    title="Delete this set?"
                    yes="Delete"
                    onClose={close}
                    onYes={() => {
                        close();
                        act(() => api.del(`/api/backups/${segment(asked.set.id)}`), "The set is being deleted.");
                    }}
                >
                    <p>
                        <code>{asked.set.id}</code>, made {moment(asked.set.created_at)}. It cannot be brought back.
                    </p>
                </Confirm>
            )}
            {asked?.what === "undo" && (
                <Undo
                    undo={schedule.data.undo}
                    onClose={close}
                    onYes={(word) => {
                        close();
                        act(() => api.post("/api/backups/undo", { confirm: word }), "It has begun; changes are refused until it is done.");
                    }}
                />
            )}
            {asked?.what === "prune" && (
                <PruneQuestion
                    ids={asked.ids}
                    onClose={close}
                    onYes={() => {
                        close();
                        act(() => api.post("/api/backups/prune", {}), "Old sets are being removed.");
                    }}
                />
            )}
        </div>
    );
}
