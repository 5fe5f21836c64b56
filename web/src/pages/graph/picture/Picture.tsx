// The picture that somebody makes step by step; all of it stands in the address.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../../../api";
import type { ApiError } from "../../../api";
import { go } from "../../../router";
import { Button } from "../../../ui/Button";
import { counted } from "../../../ui/format";
import { asError, useLoad, useTitle } from "../../../ui/hooks";
import { Icon } from "../../../ui/Icon";
import { Empty, ErrorNotice, Notice } from "../../../ui/States";
import { toast } from "../../../ui/Toast";
import { Around } from "../Around";
import { labelNames } from "../model";
import type { Schema } from "../model";
import type { Canvas } from "./canvas";
import { Drawn } from "./Drawn";
import { csvOf, fileName, pngOf, save, svgOf } from "./export";
import { lookNow, shapeOf } from "./shapes";
import { Chosen, Hint, List, SavedViews, Styles, Ways } from "./Side";
import { contentsOf, load, readView, step, viewPath } from "./view";
import type { Contents, Part, Step, View } from "./view";
import "./picture.css";

/** The steps' answers, each asked for once. */
function useContents(view: View) {
    const parts = useRef(new Map<string, Part>());
    const [round, setRound] = useState(0);
    const [failed, setFailed] = useState<{ step: Step; error: ApiError } | null>(null);
    const [tries, setTries] = useState(0);
    const key = view.steps.map((one) => one.text).join("\n");
    useEffect(() => {
        const abort = new AbortController();
        setFailed(null);
        const missing = view.steps.filter((one) => !parts.current.has(one.text));
        const run = async () => {
            for (const one of missing) {
                try {
                    parts.current.set(one.text, await load(one, abort.signal));
                } catch (fault) {
                    if (abort.signal.aborted) return;
                    setFailed({ step: one, error: asError(fault) });
                    break; // what came before it is shown
                }
            }
            if (missing.length > 0) setRound((n) => n + 1);
        };
        void run();
        return () => abort.abort();
    }, [key, tries]);
    const contents = useMemo(() => contentsOf(view.steps, parts.current), [key, round]);
    const waiting = !failed && view.steps.some((one) => !parts.current.has(one.text));
    return { contents, failed, waiting, again: () => setTries((n) => n + 1) };
}

function Export({ contents, view, all, canvas }: { contents: Contents; view: View; all: readonly string[]; canvas: { current: Canvas | null } }) {
    const [format, setFormat] = useState("");
    const write = async (kind: string) => {
        const name = fileName(contents, kind);
        if (kind === "csv") return save(new Blob([csvOf(contents)], { type: "text/csv" }), name);
        const places = canvas.current?.places();
        if (!places) return void toast({ text: "There is no picture to save; CSV has all of it.", kind: "danger" });
        const look = lookNow();
        const shape = shapeOf(contents, view, all, look);
        if (kind === "svg") return save(new Blob([svgOf(shape, places, look)], { type: "image/svg+xml" }), name);
        const picture = await pngOf(shape, places, look);
        if (picture) save(picture, name);
        return undefined;
    };
    return (
        <details class="export" open={format === "open"} onToggle={(event) => setFormat(event.currentTarget.open ? "open" : "")}>
            <summary class="button">
                <Icon name="download" size={18} /> Export
            </summary>
            <div class="export-menu">
                {["svg", "png", "csv"].map((kind) => (
                    <Button key={kind} kind="quiet" onClick={() => void write(kind).finally(() => setFormat(""))}>
                        {kind.toUpperCase()}
                    </Button>
                ))}
            </div>
        </details>
    );
}

function share(): void {
    navigator.clipboard?.writeText(location.href).then(
        () => toast({ text: "The address of this picture was copied." }),
        () => toast({ text: "Copy the address from the browser's bar: it is this picture." }),
    );
}

export function PicturePage({ query }: { query: URLSearchParams }) {
    useTitle("Picture · Graph");
    const view = readView(query);
    const schema = useLoad("schema", (signal) => api.get<Schema>("/api/graph/schema", { signal }));
    const all = labelNames(schema.data);
    const { contents: found, failed, waiting, again } = useContents(view);
    const [shown, show] = useState(""); // the way that alone is drawn as one
    const only = found.ways.find((way) => way.key === shown);
    const contents = useMemo(() => (only ? { ...found, way: new Set(only.edges) } : found), [found, only]);
    const canvas = useRef<Canvas | null>(null);
    const chosen = contents.nodes.find((node) => node.id === view.chosen);

    const change = (next: View, replace = false) => go(viewPath(next), { replace });
    const choose = (id: string) => change({ ...view, chosen: id }, true);
    const add = (one: Step) => {
        // the same again, after it was hidden: its later place counts
        const steps = [...view.steps.filter((other) => other.text !== one.text), one];
        const next = one.kind === "hide" ? "" : one.kind === "path" || one.kind === "ways" ? view.chosen : (one.parts[0] ?? "");
        change({ ...view, steps, chosen: next });
    };
    const empty = view.steps.length === 0;
    return (
        <Around
            title="Picture"
            lead={
                empty
                    ? "Begin with a node; then go on from node to node."
                    : <span role="status">{waiting ? "Loading …" : `${counted(contents.nodes.length, "node")}, ${counted(contents.edges.length, "relationship")}`}</span>
            }
            onFound={(node) => add(step("expand", node.id, "", "both", "50"))}
            actions={
                !empty && (
                    <>
                        <Button icon="left" onClick={() => change({ ...view, steps: view.steps.slice(0, -1) })}>
                            Undo
                        </Button>
                        <Button icon="link" onClick={share}>
                            Copy link
                        </Button>
                        <Export contents={contents} view={view} all={all} canvas={canvas} />
                    </>
                )
            }
        >
            {failed && (
                <div class="picture-failed">
                    <ErrorNotice error={failed.error} again={again} />
                    <Button onClick={() => change({ ...view, steps: view.steps.filter((one) => one.text !== failed.step.text) }, true)}>Go on without this step</Button>
                </div>
            )}
            {empty ? (
                <div class="stack">
                    <Empty icon="graph" title="Nothing is in the picture yet">
                        Find a node by its name above, or open one from its page.
                    </Empty>
                    <SavedViews now="" />
                </div>
            ) : (
                <>
                    <div class="picture">
                        <Drawn contents={contents} view={view} all={all} canvas={canvas} onChoose={choose} />
                        {(contents.nodes.length > 0 || !waiting) && (
                            <div class="side">
                                {contents.ways.length > 0 && <Ways ways={contents.ways} shown={shown} onShow={show} />}
                                {!chosen && <Hint />}
                                {chosen && <Chosen key={chosen.id} node={chosen} onStep={add} onChoose={choose} />}
                                <List contents={contents} view={view} all={all} onChoose={choose} />
                                <Styles contents={contents} view={view} schema={schema.data} all={all} onChange={(next) => change(next, true)} />
                                <SavedViews now={viewPath(view)} />
                            </div>
                        )}
                    </div>
                    <div class="picture-notes" role="status">
                        {contents.notes.slice(-4).map((note) => (
                            <Notice key={note}>
                                <p>{note}</p>
                            </Notice>
                        ))}
                    </div>
                </>
            )}
        </Around>
    );
}
