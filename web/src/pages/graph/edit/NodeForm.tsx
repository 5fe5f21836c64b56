// A node is made or changed. What is changed can be taken back as long as nobody changed
// the node since.
import { useState } from "preact/hooks";
import { api, segment } from "../../../api";
import type { Schemas } from "../../../api";
import { go } from "../../../router";
import { TextField } from "../../../ui/Field";
import { asError } from "../../../ui/hooks";
import { toast } from "../../../ui/Toast";
import { nameOf, nodePath } from "../model";
import type { Detail } from "../model";
import { EditForm } from "./Shell";
import { changesOf, labelsOf, newRow, rowsOf } from "./values";

type Stored = Schemas["GraphStored"];
const url = (id: string) => "/api/graph/nodes/" + segment(id);

export function failed(fault: unknown): void {
    const error = asError(fault);
    const late = error.code === "version_conflict";
    toast({ kind: "danger", text: late ? "Somebody has changed it since: nothing was taken back." : error.message });
}

/** Where what was stored is not to be seen yet, it is looked for again a little later. */
export function seen(stored: { visible?: boolean }, look: () => void): void {
    look();
    if (stored.visible === false) for (const ms of [2000, 8000]) setTimeout(look, ms);
}

/** Labels can only be added to what is there; with one taken away all is written anew. */
function change(node: Detail, labels: string[], properties: Record<string, unknown>): Promise<Stored> {
    const fewer = node.labels.some((label) => !labels.includes(label));
    if (fewer) return api.put<Stored>(url(node.id), { labels, properties });
    const before = node.properties as Record<string, unknown>;
    return api.put<Stored>(url(node.id), { labels, properties: changesOf(before, properties) }, { query: { merge: true } });
}

export function NodeForm({ node, onClose, onStored }: { node: Detail | null; onClose: () => void; onStored: () => void }) {
    const [id, setId] = useState("");
    const [labels, setLabels] = useState(node?.labels.join(", ") ?? "");
    const [rows, setRows] = useState(() => (node ? rowsOf(node.properties) : [newRow("name")]));

    const make = async (properties: Record<string, unknown>) => {
        const body = { labels: labelsOf(labels), properties, ...(id.trim() ? { id: id.trim() } : {}) };
        const stored = await api.post<Stored>("/api/graph/nodes", body);
        const takeBack = () =>
            void api.del(url(stored.id), { query: { version: stored.version } }).then(() => go("/graph", { replace: true }), failed);
        toast({ text: `“${nameOf({ id: stored.id, properties })}” is made.`, seconds: 30, action: { label: "Undo", run: takeBack } });
        if (stored.visible === false) await new Promise((done) => setTimeout(done, 2000));
        onClose();
        go(nodePath(stored.id));
    };
    const store = async (properties: Record<string, unknown>) => {
        if (!node) return make(properties);
        const stored = await change(node, labelsOf(labels), properties);
        const takeBack = () =>
            void api
                .put<Stored>(url(node.id), { labels: node.labels, properties: node.properties }, { query: { version: stored.version } })
                .then((back) => seen(back, onStored), failed);
        toast({ text: `“${nameOf({ id: node.id, properties })}” is changed.`, seconds: 30, action: { label: "Undo", run: takeBack } });
        onClose();
        seen(stored, onStored);
        return undefined;
    };
    return (
        <EditForm
            title={node ? `Change ${nameOf(node)}` : "A new node"}
            yes={node ? "Save" : "Make it"}
            rows={rows}
            onRows={setRows}
            store={store}
            onClose={onClose}
            own={["id", "labels"]}
            fields={(wrong) => (
                <>
                    <TextField label="Labels" help="With commas between them" maxLength={2000} value={labels} error={wrong("labels")} onInput={(event) => setLabels(event.currentTarget.value)} />
                    {!node && <TextField label="Id" help="By which programs know it. Empty: one is made" maxLength={500} value={id} error={wrong("id")} onInput={(event) => setId(event.currentTarget.value)} />}
                </>
            )}
        />
    );
}
