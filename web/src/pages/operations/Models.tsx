import { useState } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { useSession } from "../../session";
import { acting } from "../../ui/act";
import type { Act } from "../../ui/act";
import { Button } from "../../ui/Button";
import { Confirm, Dialog } from "../../ui/Dialog";
import { SelectField } from "../../ui/Field";
import { awaitEnd } from "../../ui/follow";
import { count, moment } from "../../ui/format";
import { asError, useEvery, useLoad } from "../../ui/hooks";
import { jobPath } from "../../ui/Job";
import { Badge, Card, Progress } from "../../ui/Small";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";

type Generation = Schemas["Generations"]["generations"][number];
type Job = Schemas["Job"];

const kinds: Record<string, "ok" | "accent" | "plain"> = { live: "ok", ready: "accent", building: "accent" };
const short = (fingerprint: string) => fingerprint.slice(0, 12);

function State({ generation }: { generation: Generation }) {
    const whole = generation.vectors + generation.pending;
    return (
        <>
            <Badge kind={kinds[generation.state] ?? "plain"}>{generation.state}</Badge>
            {generation.state === "building" && <Progress label={`${generation.model}: vectors made`} share={whole > 0 ? generation.vectors / whole : null} />}
        </>
    );
}

type Asked = { what: "activate" | "drop"; generation: Generation } | { what: "back" | "compare" | "clear" };

/** How alike two generations answer what was asked lately. */
function Compare({ generations, onClose }: { generations: readonly Generation[]; onClose: () => void }) {
    const choices = generations.map((one) => ({ value: one.fingerprint, text: `${one.model} · ${short(one.fingerprint)} (${one.state})` }));
    const [from, setFrom] = useState(choices[0]?.value ?? "");
    const [to, setTo] = useState(choices[1]?.value ?? "");
    const [said, say] = useState<Job | null>(null);
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const run = async () => {
        setBusy(true);
        setError(null);
        try {
            const { job_id: id } = await api.post<Schemas["GenerationJob"]>("/api/generations/compare", { from, to });
            say(await awaitEnd<Job>(jobPath(id)));
        } catch (fault) {
            setError(fault);
        }
        setBusy(false);
    };
    const figures = Object.entries((said?.result ?? {}) as Record<string, unknown>).filter(([, value]) => typeof value === "number");
    return (
        <Dialog
            title="Compare two generations"
            onClose={onClose}
            actions={
                <Button kind="primary" busy={busy} disabled={from === to} onClick={() => void run()}>
                    Compare
                </Button>
            }
        >
            <div class="stack">
                <p>Both are asked what was searched for lately.</p>
                <SelectField label="One" choices={choices} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
                <SelectField label="The other" choices={choices} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
                {error !== null && <ErrorNotice error={asError(error)} />}
                {said && said.state !== "done" && <Notice kind="warn">{`The comparison ended as ${said.state}.`}</Notice>}
                {figures.length > 0 && (
                    <dl class="facts">
                        {figures.map(([name, value]) => (
                            <div key={name}>
                                <dt>{name.replaceAll("_", " ")}</dt>
                                <dd>{Number.isInteger(value) ? count(Number(value)) : Number(value).toFixed(3)}</dd>
                            </div>
                        ))}
                    </dl>
                )}
            </div>
        </Dialog>
    );
}

function Question({ asked, act, onClose }: { asked: Asked; act: Act; onClose: () => void }) {
    const yes = (what: () => Promise<unknown>, said: string) => () => {
        onClose();
        act(what, said);
    };
    if (asked.what === "activate")
        return (
            <Confirm
                title="Search with this generation?"
                yes="Switch"
                onClose={onClose}
                onYes={yes(() => api.post(`/api/generations/${segment(asked.generation.fingerprint)}/activate`), "The switch has begun.")}
            >
                <p>
                    Searches by meaning use {asked.generation.model} from now on. No search fails meanwhile, and the one in use is kept: you can go back.
                </p>
            </Confirm>
        );
    if (asked.what === "drop")
        return (
            <Confirm title="Drop this generation?" yes="Drop" onClose={onClose} onYes={yes(() => api.del(`/api/generations/${segment(asked.generation.fingerprint)}`), "The generation is being dropped.")}>
                <p>Its {count(asked.generation.vectors)} vectors are removed. Making them again takes as long as it did.</p>
            </Confirm>
        );
    if (asked.what === "back")
        return (
            <Confirm title="Go back to the generation before?" yes="Go back" onClose={onClose} onYes={yes(() => api.post("/api/generations/rollback"), "The generation before is in use.")}>
                <p>Searches by meaning use the model that was in use before.</p>
            </Confirm>
        );
    return (
        <Confirm title="Forget all kept answers?" yes="Forget them" onClose={onClose} onYes={yes(() => api.post("/api/admin/cache/clear"), "All kept answers are forgotten.")}>
            <p>Searches take longer until the answers are kept again. Nothing else changes.</p>
        </Confirm>
    );
}

function Maintenance({ act }: { act: Act }) {
    const state = useLoad("maintenance", (signal) => api.get<Schemas["Maintenance"]>("/api/admin/maintenance", { signal }));
    const active = state.data?.by_hand.active ?? false;
    const change = (what: () => Promise<unknown>, said: string) =>
        act(async () => {
            await what();
            state.again();
        }, said);
    return (
        <Card title="Maintenance">
            {state.error && <ErrorNotice error={state.error} again={state.again} />}
            {state.data && (
                <div class="row">
                    <p>{active ? "Changes are refused; searches go on." : state.data.restoring ? "A restore goes on: changes are refused." : "Changes are taken."}</p>
                    {active ? (
                        <Button kind="primary" onClick={() => change(() => api.del("/api/admin/maintenance"), "Changes are taken again.")}>
                            Take changes again
                        </Button>
                    ) : (
                        <Button onClick={() => change(() => api.post("/api/admin/maintenance", { reason: "from the web pages", minutes: 15 }), "Changes are refused for 15 minutes.")}>
                            Refuse changes for 15 minutes
                        </Button>
                    )}
                </div>
            )}
        </Card>
    );
}

export function Models() {
    const session = useSession();
    const list = useLoad("generations", (signal) => api.get<Schemas["Generations"]>("/api/generations", { signal }));
    const [asked, ask] = useState<Asked | null>(null);
    useEvery(3000, list.again);
    const act = acting(list.again);
    const generations = list.data?.generations ?? [];
    const before = generations.some((one) => one.state === "live" && one.previous);
    return (
        <div class="stack">
            <Card
                title="Generations of vectors"
                actions={
                    <>
                        <Button disabled={generations.length < 2} onClick={() => ask({ what: "compare" })}>
                            Compare
                        </Button>
                        <Button disabled={!before} onClick={() => ask({ what: "back" })}>
                            Go back
                        </Button>
                    </>
                }
            >
                <p class="quiet">One for each embedding model. A new one is built beside the one in use, compared, and switched to without a pause.</p>
            </Card>
            {list.error && <ErrorNotice error={list.error} again={list.again} />}
            {!list.data && !list.error && <Loading what="Reading the generations" />}
            {generations.length > 0 && (
                <Table
                    caption="Generations"
                    rows={generations}
                    keyOf={(one) => one.fingerprint}
                    columns={[
                        {
                            name: "model",
                            title: "Model",
                            show: (one) => (
                                <>
                                    <strong>{one.model}</strong> <code class="small">{short(one.fingerprint)}</code>
                                </>
                            ),
                        },
                        { name: "state", title: "State", show: (one) => <State generation={one} /> },
                        { name: "dimension", title: "Dimensions", numeric: true, show: (one) => count(one.dimension) },
                        { name: "vectors", title: "Vectors", numeric: true, show: (one) => count(one.vectors) },
                        { name: "pending", title: "To be made", numeric: true, show: (one) => count(one.pending) },
                        { name: "built", title: "Built", show: (one) => moment(one.built_at) },
                        {
                            name: "acts",
                            title: "What can be done",
                            show: (one) =>
                                one.state === "live" ? (
                                    "–"
                                ) : (
                                    <div class="row">
                                        <Button kind="quiet" disabled={one.state !== "ready" && one.state !== "retired"} onClick={() => ask({ what: "activate", generation: one })}>
                                            Switch to it
                                        </Button>
                                        <Button kind="quiet" onClick={() => ask({ what: "drop", generation: one })}>
                                            Drop
                                        </Button>
                                    </div>
                                ),
                        },
                    ]}
                />
            )}
            {/* Not before the table above, which would move them. */}
            {(list.data || list.error) && session.may("admin_cache") && (
                <Card title="Kept answers" actions={<Button onClick={() => ask({ what: "clear" })}>Forget all</Button>}>
                    <p class="quiet">Answers to searches are kept for a while, and given up by themselves when something that they rest on changes.</p>
                </Card>
            )}
            {(list.data || list.error) && <Maintenance act={act} />}
            {asked?.what === "compare" ? <Compare generations={generations} onClose={() => ask(null)} /> : asked && <Question asked={asked} act={act} onClose={() => ask(null)} />}
        </div>
    );
}
