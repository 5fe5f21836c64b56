// A form in a dialog that stores something: what is common to nodes and relationships.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiError } from "../../../api";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { asError } from "../../../ui/hooks";
import { ErrorNotice } from "../../../ui/States";
import { PropertyRows } from "./Properties";
import { propertiesOf } from "./values";
import type { Faults, Row } from "./values";
import "./edit.css";

/** `store` is given the properties; `fields` are told why it was refused. */
export function EditForm(props: {
    title: string;
    yes: string;
    rows: Row[];
    onRows: (rows: Row[]) => void;
    store: (properties: Record<string, unknown>) => Promise<void>;
    onClose: () => void;
    fields: (wrong: (field: string) => string | null) => ComponentChildren;
    own: readonly string[]; // fields that tell their faults themselves
}) {
    const [error, setError] = useState<ApiError | null>(null);
    const [faults, setFaults] = useState<Faults>(new Map());
    const [busy, setBusy] = useState(false);
    const wrong = (field: string) => (error?.field === field ? error.message : null);
    const save = async (event: Event) => {
        event.preventDefault();
        const made = propertiesOf(props.rows);
        setFaults(made.faults);
        setError(null);
        if (made.faults.size > 0) return;
        setBusy(true);
        try {
            await props.store(made.properties);
        } catch (fault) {
            setError(asError(fault));
            setBusy(false);
        }
    };
    return (
        <Dialog
            wide
            title={props.title}
            onClose={props.onClose}
            actions={
                <>
                    <Button onClick={props.onClose}>Cancel</Button>
                    <Button kind="primary" type="submit" form="graph-edit" busy={busy}>
                        {props.yes}
                    </Button>
                </>
            }
        >
            <form id="graph-edit" class="stack" onSubmit={(event) => void save(event)}>
                {error && !props.own.includes(error.field ?? "") && <ErrorNotice error={error} />}
                {props.fields(wrong)}
                <PropertyRows rows={props.rows} faults={faults} onChange={props.onRows} />
            </form>
        </Dialog>
    );
}
