// Beside the picture: the chosen node and what can be done with it, all nodes as a list,
// the styles of labels, the views that were kept.
import { useState } from "preact/hooks";
import { api, segment } from "../../../api";
import { Button, IconButton } from "../../../ui/Button";
import { SelectField, TextField } from "../../../ui/Field";
import { count, counted } from "../../../ui/format";
import { useLoad } from "../../../ui/hooks";
import { toast } from "../../../ui/Toast";
import { Finder } from "../Finder";
import { nameOf, nodePath } from "../model";
import type { Detail, Node, Schema } from "../model";
import { PropertyList } from "../parts";
import { colourIn } from "./shapes";
import { savedViews, saveViews, step } from "./view";
import type { Contents, Step, View, Way } from "./view";

const LISTED = 50;

/** The shortest way to another node, or several, or by what their relationships cost. */
function WayTo({ node, onStep }: { node: Node; onStep: (step: Step) => void }) {
    const [cost, setCost] = useState("");
    const [many, setMany] = useState("1");
    const to = (other: Node) => {
        const weight = cost.trim();
        onStep(weight || many !== "1" ? step("ways", node.id, other.id, weight, many) : step("path", node.id, other.id));
    };
    return (
        <div class="side-to">
            <p class="field-label">Shortest way to</p>
            <details class="side-more">
                <summary>Several, or the cheapest</summary>
                <SelectField
                    label="How many ways"
                    value={many}
                    choices={["1", "3", "5", "10", "20"].map((value) => ({ value, text: value === "1" ? "The best one" : `The best ${value}` }))}
                    onChange={(event) => setMany(event.currentTarget.value)}
                />
                <TextField label="What a step costs" help="A property of the relationships with a number, such as km. Empty: each step costs the same" maxLength={250} value={cost} onInput={(event) => setCost(event.currentTarget.value)} />
            </details>
            <Finder label="Shortest way to" placeholder="A node's name" onFound={to} />
        </div>
    );
}

/** Those that were found; one of them alone can be shown. */
export function Ways({ ways, shown, onShow }: { ways: readonly Way[]; shown: string; onShow: (key: string) => void }) {
    return (
        <section class="side-part" aria-label="Ways">
            <header class="side-head">
                <h2>Ways</h2>
                <span class="small quiet" role="status">
                    {count(ways.length)} found
                </span>
            </header>
            <ol class="side-list">
                {ways.map((way) => (
                    <li key={way.key}>
                        <button type="button" class="side-node side-way" aria-pressed={shown === way.key} onClick={() => onShow(shown === way.key ? "" : way.key)}>
                            <span class="break">{way.text}</span>
                            <span class="small quiet">{way.told}</span>
                        </button>
                    </li>
                ))}
            </ol>
        </section>
    );
}

/** What can be done, before there is a node to do it with. */
export function Hint() {
    return (
        <section class="side-part" aria-label="What can be done here">
            <p class="small">
                <b>Choose a node</b>, in the picture or in the list: then add what it is joined with, or find the shortest way to another.
            </p>
        </section>
    );
}

export function Chosen({ node, onStep, onChoose }: { node: Node; onStep: (step: Step) => void; onChoose: (id: string) => void }) {
    const { data } = useLoad(node.id, (signal) => api.get<Detail>(`/api/graph/nodes/${segment(node.id)}`, { signal }));
    const [way, setWay] = useState("~both");
    const [limit, setLimit] = useState("50");
    const groups = data?.relationships ?? [];
    const [type = "", direction = "both"] = [way.slice(0, way.lastIndexOf("~")), way.slice(way.lastIndexOf("~") + 1)];
    return (
        <section class="side-part" aria-label="The chosen node">
            <header class="side-head">
                <h2 class="break">
                    <a href={nodePath(node.id)}>{nameOf(node)}</a>
                </h2>
                <IconButton icon="close" label="Choose no node" onClick={() => onChoose("")} />
            </header>
            <p class="small quiet">
                {node.labels.join(", ")}
                {data && ` · ${counted(data.degree, "relationship")}`}
            </p>
            <form
                class="side-form"
                aria-label="Expand"
                onSubmit={(event) => {
                    event.preventDefault();
                    onStep(way === "within" ? step("within", node.id, "2", limit) : step("expand", node.id, type, direction, limit));
                }}
            >
                <SelectField
                    label="Add what it is joined with"
                    value={way}
                    onChange={(event) => setWay(event.currentTarget.value)}
                    choices={[
                        { value: "~both", text: "By every relationship" },
                        ...groups.map((group) => ({
                            value: `${group.type}~${group.direction}`,
                            text: `${group.type} ${group.direction === "out" ? "→" : "←"} (${count(group.count)})`,
                        })),
                        { value: "within", text: "Everything within two steps" },
                    ]}
                />
                <SelectField
                    label="At most"
                    value={limit}
                    onChange={(event) => setLimit(event.currentTarget.value)}
                    choices={(way === "within" ? ["50", "200", "1000", "5000"] : ["10", "50", "200", "1000"]).map((value) => ({ value, text: value }))}
                />
                <Button kind="primary" icon="plus" type="submit">
                    Expand
                </Button>
            </form>
            <WayTo node={node} onStep={onStep} />
            <PropertyList node={node} most={6} kind="side-properties small" />
            <Button kind="quiet" icon="close" onClick={() => onStep(step("hide", node.id))}>
                Take it out of the picture
            </Button>
        </section>
    );
}

export function List({ contents, view, all, onChoose }: { contents: Contents; view: View; all: readonly string[]; onChoose: (id: string) => void }) {
    const [words, setWords] = useState("");
    const [most, setMost] = useState(LISTED);
    const low = words.trim().toLowerCase();
    const named = contents.nodes.map((node) => ({ node, name: nameOf(node, view.captions[node.labels[0] ?? ""]) }));
    const list = named.filter((one) => one.name.toLowerCase().includes(low)).sort((a, b) => a.name.localeCompare(b.name));
    return (
        <section class="side-part" aria-label="All nodes of the picture">
            <header class="side-head">
                <h2>Nodes</h2>
                <span class="small quiet">{count(contents.nodes.length)}</span>
            </header>
            <TextField label="Only those whose name has" hideLabel placeholder="Only those whose name has …" type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
            <ul class="side-list">
                {list.slice(0, most).map(({ node, name }) => (
                    <li key={node.id}>
                        <button type="button" class={`side-node colour-${colourIn(view, node.labels[0] ?? "", all) + 1}`} aria-pressed={view.chosen === node.id} onClick={() => onChoose(view.chosen === node.id ? "" : node.id)}>
                            <span class="label-dot" aria-hidden="true" />
                            <span class="cut">{name}</span>
                            <span class="small quiet">{node.labels[0]}</span>
                        </button>
                    </li>
                ))}
            </ul>
            {list.length > most && <Button onClick={() => setMost(most + 200)}>More of {count(list.length)}</Button>}
        </section>
    );
}

const colourWords = ["Teal", "Orange", "Violet", "Green", "Red", "Olive"];

export function Styles({ contents, view, schema, all, onChange }: { contents: Contents; view: View; schema: Schema | null; all: readonly string[]; onChange: (view: View) => void }) {
    const labels = [...new Set(contents.nodes.map((node) => node.labels[0] ?? ""))].filter(Boolean).sort();
    return (
        <details class="side-part">
            <summary>Styles by label</summary>
            {labels.map((label) => {
                const keys = schema?.labels.find((one) => one.name === label)?.properties.map((one) => one.name) ?? [];
                const colour = colourIn(view, label, all) + 1;
                return (
                    <fieldset key={label} class={`side-style colour-${colour}`}>
                        <legend>
                            <span class="label-dot" aria-hidden="true" /> {label}
                        </legend>
                        <SelectField
                            label={"Colour of " + label}
                            hideLabel
                            value={String(colour)}
                            choices={colourWords.map((text, i) => ({ value: String(i + 1), text }))}
                            onChange={(event) => onChange({ ...view, colours: { ...view.colours, [label]: Number(event.currentTarget.value) } })}
                        />
                        <SelectField
                            label={`What names a ${label}`}
                            hideLabel
                            value={view.captions[label] ?? ""}
                            choices={[{ value: "", text: "by its name" }, ...keys.map((key) => ({ value: key, text: "by " + key }))]}
                            onChange={(event) => onChange({ ...view, captions: { ...view.captions, [label]: event.currentTarget.value } })}
                        />
                    </fieldset>
                );
            })}
        </details>
    );
}

export function SavedViews({ now }: { now: string }) {
    const [list, setList] = useState(savedViews);
    const [name, setName] = useState("");
    const keep = (next: typeof list) => {
        if (!saveViews(next)) toast({ text: "This browser keeps nothing; copy the address instead.", kind: "danger" });
        setList(next);
    };
    return (
        <details class="side-part" open={now === "" && list.length > 0}>
            <summary>Saved views{list.length > 0 ? ` (${count(list.length)})` : ""}</summary>
            {now !== "" && (
                <form
                    class="side-form"
                    aria-label="Save this view"
                    onSubmit={(event) => {
                        event.preventDefault();
                        const called = name.trim();
                        if (!called) return;
                        keep([{ name: called, path: now }, ...list.filter((one) => one.name !== called)]);
                        toast({ text: `The view “${called}” is kept in this browser.` });
                        setName("");
                    }}
                >
                    <TextField label="Name of this view" value={name} maxLength={80} onInput={(event) => setName(event.currentTarget.value)} />
                    <Button type="submit">Save</Button>
                </form>
            )}
            {list.length === 0 && <p class="small quiet">None yet. A view is its address, too: whoever gets it sees what they may see.</p>}
            <ul class="side-list">
                {list.map((one) => (
                    <li key={one.name} class="side-saved">
                        <a class="break" href={one.path}>
                            {one.name}
                        </a>
                        <IconButton
                            icon="trash"
                            label={`Forget the view ${one.name}`}
                            onClick={() => {
                                keep(list.filter((other) => other !== one));
                                toast({ text: `“${one.name}” is forgotten.`, action: { label: "Undo", run: () => keep(list) } });
                            }}
                        />
                    </li>
                ))}
            </ul>
        </details>
    );
}
