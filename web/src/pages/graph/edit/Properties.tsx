// The properties of a node or a relationship in a form.
import { Button, IconButton } from "../../../ui/Button";
import { SelectField, TextField } from "../../../ui/Field";
import { kinds, newRow } from "./values";
import type { Faults, Kind, Row } from "./values";

/** "Yes or no" has two texts only. */
function turned(row: Row, kind: Kind): Row {
    return { ...row, kind, text: kind === "truth" && row.text !== "true" ? "false" : row.text };
}

export function PropertyRows({ rows, faults, onChange }: { rows: readonly Row[]; faults: Faults; onChange: (rows: Row[]) => void }) {
    const change = (key: number, row: Row) => onChange(rows.map((one) => (one.key === key ? row : one)));
    return (
        <fieldset class="edit-rows">
            <legend>Properties</legend>
            {rows.map((row, i) => {
                const fault = faults.get(row.key);
                const called = row.name || `property ${i + 1}`;
                const label = `Value of ${called}`;
                const wrong = fault?.at === "value" ? fault.text : null;
                const text = (event: { currentTarget: { value: string } }) => change(row.key, { ...row, text: event.currentTarget.value });
                return (
                    <div key={row.key} class="edit-row">
                        <TextField label={`Name of property ${i + 1}`} hideLabel placeholder="Name" maxLength={250} value={row.name} error={fault?.at === "name" ? fault.text : null} onInput={(event) => change(row.key, { ...row, name: event.currentTarget.value })} />
                        {row.kind === "truth" ? (
                            <SelectField label={label} hideLabel value={row.text} choices={[{ value: "true", text: "Yes" }, { value: "false", text: "No" }]} onChange={text} />
                        ) : (
                            <TextField label={label} hideLabel placeholder="Value" value={row.text} error={wrong} onInput={text} />
                        )}
                        <SelectField label={`Kind of ${called}`} hideLabel value={row.kind} choices={kinds} onChange={(event) => change(row.key, turned(row, event.currentTarget.value as Kind))} />
                        <IconButton icon="trash" label={`Remove ${called}`} onClick={() => onChange(rows.filter((one) => one.key !== row.key))} />
                    </div>
                );
            })}
            <Button icon="plus" onClick={() => onChange([...rows, newRow()])}>
                Another property
            </Button>
        </fieldset>
    );
}
