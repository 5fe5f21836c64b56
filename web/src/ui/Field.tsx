import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface Common {
    label: string;
    help?: ComponentChildren;
    error?: string | null | undefined;
    hideLabel?: boolean; // for readers only, where the sight of it is plain
}

type InputProps = Common & Omit<JSX.IntrinsicElements["input"], "label">;

function Around({ id, label, help, error, hideLabel, children }: Common & { id: string; children: ComponentChildren }) {
    return (
        <div class={error ? "field field-wrong" : "field"}>
            <label for={id} class={hideLabel ? "visually-hidden" : "field-label"}>
                {label}
            </label>
            {children}
            {help && (
                <p id={id + "-help"} class="field-help">
                    {help}
                </p>
            )}
            {error && (
                <p id={id + "-error"} class="field-error" role="alert">
                    {error}
                </p>
            )}
        </div>
    );
}

function described(id: string, { help, error }: Common): string | undefined {
    const ids = [help ? id + "-help" : "", error ? id + "-error" : ""].filter(Boolean);
    return ids.length > 0 ? ids.join(" ") : undefined;
}

export function TextField({ label, help, error, hideLabel, ...rest }: InputProps) {
    const id = useId();
    const common: Common = { label, help, error: error ?? null, hideLabel: hideLabel ?? false };
    return (
        <Around id={id} {...common}>
            <input
                type="text"
                {...rest}
                id={id}
                class="input"
                aria-describedby={described(id, common)}
                aria-invalid={error ? "true" : undefined}
            />
        </Around>
    );
}

export function TextArea({ label, help, error, hideLabel, ...rest }: Common & Omit<JSX.IntrinsicElements["textarea"], "label">) {
    const id = useId();
    const common: Common = { label, help, error: error ?? null, hideLabel: hideLabel ?? false };
    return (
        <Around id={id} {...common}>
            <textarea rows={4} {...rest} id={id} class="input" aria-describedby={described(id, common)} aria-invalid={error ? "true" : undefined} />
        </Around>
    );
}

export interface Choice {
    value: string;
    text: string;
    group?: string; // choices of one group stand together
}

function Options({ choices }: { choices: readonly Choice[] }) {
    const groups = [...new Set(choices.map((choice) => choice.group ?? ""))];
    const of = (group: string) =>
        choices
            .filter((choice) => (choice.group ?? "") === group)
            .map((choice) => (
                <option key={choice.value} value={choice.value}>
                    {choice.text}
                </option>
            ));
    return (
        <>
            {groups.map((group) =>
                group ? (
                    <optgroup key={group} label={group}>
                        {of(group)}
                    </optgroup>
                ) : (
                    of(group)
                ),
            )}
        </>
    );
}

export function SelectField(
    { label, help, error, hideLabel, choices, ...rest }: Common & { choices: readonly Choice[] } & Omit<JSX.IntrinsicElements["select"], "label">,
) {
    const id = useId();
    const common: Common = { label, help, error: error ?? null, hideLabel: hideLabel ?? false };
    return (
        <Around id={id} {...common}>
            <select {...rest} id={id} class="input" aria-describedby={described(id, common)}>
                <Options choices={choices} />
            </select>
        </Around>
    );
}

export function CheckField({ label, help, ...rest }: { label: ComponentChildren; help?: string } & Omit<JSX.IntrinsicElements["input"], "label" | "type">) {
    const id = useId();
    return (
        <div class="check">
            <input {...rest} id={id} type="checkbox" aria-describedby={help ? id + "-help" : undefined} />
            <label for={id}>{label}</label>
            {help && (
                <p id={id + "-help"} class="field-help">
                    {help}
                </p>
            )}
        </div>
    );
}
