// A relationship is made or changed.
import { useState } from "preact/hooks";
import { api, ApiError, segment } from "../../../api";
import type { Schemas } from "../../../api";
import { SelectField, TextField } from "../../../ui/Field";
import { toast } from "../../../ui/Toast";
import { Finder } from "../Finder";
import { nameOf } from "../model";
import type { Detail, Edge, Node } from "../model";
import { failed, seen } from "./NodeForm";
import { EditForm } from "./Shell";
import { changesOf, rowsOf } from "./values";

type Stored = Schemas["GraphStored"];
export const edgeUrl = (id: string) => "/api/graph/edges/" + segment(id);

interface Props {
    node: Detail; // whose page it is
    edge: Edge | null; // null: a new one
    types: readonly string[]; // that there are
    onClose: () => void;
    onStored: () => void;
}

export function EdgeForm({ node, edge, types, onClose, onStored }: Props) {
    const [type, setType] = useState("");
    const [direction, setDirection] = useState("out");
    const [other, setOther] = useState<Node | null>(null);
    const [rows, setRows] = useState(() => rowsOf(edge?.properties ?? {}));

    const make = async (properties: Record<string, unknown>) => {
        if (!other) throw new ApiError(400, "", "Choose the other node first.");
        const [from, to] = direction === "out" ? [node.id, other.id] : [other.id, node.id];
        const stored = await api.post<Stored>("/api/graph/edges", { type: type.trim(), from, to, properties });
        const takeBack = () => void api.del<Schemas["GraphDeleted"]>(edgeUrl(stored.id), { query: { version: stored.version } }).then((back) => seen(back, onStored), failed);
        toast({ text: `${nameOf(node)} and ${nameOf(other)} are joined.`, seconds: 30, action: { label: "Undo", run: takeBack } });
        return stored;
    };
    const change = async (known: Edge, properties: Record<string, unknown>) => {
        const before = known.properties as Record<string, unknown>;
        const stored = await api.put<Stored>(edgeUrl(known.id), { properties: changesOf(before, properties) }, { query: { merge: true } });
        const body = { type: known.type, from: known.from, to: known.to, properties: before };
        const takeBack = () => void api.put<Stored>(edgeUrl(known.id), body, { query: { version: stored.version } }).then((back) => seen(back, onStored), failed);
        toast({ text: "The relationship is changed.", seconds: 30, action: { label: "Undo", run: takeBack } });
        return stored;
    };
    const store = async (properties: Record<string, unknown>) => {
        const stored = await (edge ? change(edge, properties) : make(properties));
        onClose();
        seen(stored, onStored);
    };
    return (
        <EditForm
            title={edge ? `Change this ${edge.type}` : `Join ${nameOf(node)} with another`}
            yes={edge ? "Save" : "Join them"}
            rows={rows}
            onRows={setRows}
            store={store}
            onClose={onClose}
            own={["type"]}
            fields={(wrong) =>
                edge ? null : (
                    <>
                        <TextField label="Type" help="Such as KNOWS" required maxLength={250} list="edge-types" value={type} error={wrong("type")} onInput={(event) => setType(event.currentTarget.value)} />
                        <datalist id="edge-types">
                            {types.map((one) => (
                                <option key={one} value={one} />
                            ))}
                        </datalist>
                        <SelectField
                            label="Direction"
                            value={direction}
                            choices={[{ value: "out", text: "From here to the other" }, { value: "in", text: "From the other to here" }]}
                            onChange={(event) => setDirection(event.currentTarget.value)}
                        />
                        <p class="field-label">The other node</p>
                        <Finder label="The other node" placeholder={other ? nameOf(other) : "A node's name"} onFound={setOther} />
                        <p role="status">{other ? `Chosen: ${nameOf(other)}` : ""}</p>
                    </>
                )
            }
        />
    );
}
