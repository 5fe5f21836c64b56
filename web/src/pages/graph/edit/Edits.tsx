// What is being done to a node or to what joins it. What is deleted cannot be taken back:
// who may see it is not told to the pages, so it could not be stored as it was.
import { useState } from "preact/hooks";
import { api, segment } from "../../../api";
import type { Schemas } from "../../../api";
import { go } from "../../../router";
import { Confirm } from "../../../ui/Dialog";
import { counted } from "../../../ui/format";
import { toast } from "../../../ui/Toast";
import { nameOf } from "../model";
import type { Detail, Edge, Schema } from "../model";
import { EdgeForm, edgeUrl } from "./EdgeForm";
import { failed, NodeForm, seen } from "./NodeForm";

export type Edit = { what: "node" | "join" | "delete" } | { what: "edge" | "part"; edge: Edge };

interface Props {
    edit: Edit;
    node: Detail;
    schema: Schema | null;
    onClose: () => void;
    onStored: () => void;
}

export function Edits({ edit, node, schema, onClose, onStored }: Props) {
    const [busy, setBusy] = useState(false);
    const common = { onClose, onStored };
    const types = schema?.relationship_types.map((one) => one.name) ?? [];
    const run = (what: () => Promise<void>) => {
        setBusy(true);
        what()
            .catch(failed)
            .finally(() => {
                setBusy(false);
                onClose();
            });
    };
    if (edit.what === "node") return <NodeForm node={node} {...common} />;
    if (edit.what === "join") return <EdgeForm node={node} edge={null} types={types} {...common} />;
    if (edit.what === "edge") return <EdgeForm node={node} edge={edit.edge} types={types} {...common} />;
    if (edit.what === "part") {
        const part = async () => {
            const gone = await api.del<Schemas["GraphDeleted"]>(edgeUrl(edit.edge.id));
            toast({ text: "They are joined no more." });
            seen(gone, onStored);
        };
        return (
            <Confirm title={`Delete this ${edit.edge.type}?`} yes="Delete" busy={busy} onClose={onClose} onYes={() => run(part)}>
                <p>Only the relationship goes; both nodes stay. It cannot be brought back.</p>
            </Confirm>
        );
    }
    const remove = async () => {
        const gone = await api.del<Schemas["GraphDeleted"]>("/api/graph/nodes/" + segment(node.id), { query: { detach: node.degree > 0 } });
        const also = gone.relationships_deleted > 0 ? `, and ${counted(gone.relationships_deleted, "relationship")} with it` : "";
        toast({ text: `“${nameOf(node)}” is deleted${also}.` });
        go("/graph", { replace: true });
    };
    return (
        <Confirm title={`Delete ${nameOf(node)}?`} yes="Delete" busy={busy} onClose={onClose} onYes={() => run(remove)}>
            <p>{node.degree > 0 ? `${counted(node.degree, "relationship")} of it ${node.degree === 1 ? "goes" : "go"} with it. ` : ""}It cannot be brought back.</p>
        </Confirm>
    );
}
