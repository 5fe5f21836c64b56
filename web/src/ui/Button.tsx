import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./Icon";
import type { IconName } from "./Icon";

type Native = Omit<JSX.IntrinsicElements["button"], "icon" | "size">;

export interface ButtonProps extends Native {
    kind?: "plain" | "primary" | "danger" | "quiet";
    icon?: IconName;
    busy?: boolean; // what it began is under way
    children?: ComponentChildren;
}

export function Button({ kind = "plain", icon, busy, children, class: more, ...rest }: ButtonProps) {
    return (
        <button
            type="button"
            {...rest}
            class={`button button-${kind} ${typeof more === "string" ? more : ""}`}
            aria-busy={busy ? "true" : undefined}
            disabled={rest.disabled || busy}
        >
            {icon && <Icon name={icon} size={18} />}
            {children}
        </button>
    );
}

/** Only a drawing; `label` says what it does. */
export function IconButton({ icon, label, ...rest }: Native & { icon: IconName; label: string }) {
    return (
        <button type="button" {...rest} class={`icon-button ${typeof rest.class === "string" ? rest.class : ""}`} aria-label={label} title={label}>
            <Icon name={icon} />
        </button>
    );
}
