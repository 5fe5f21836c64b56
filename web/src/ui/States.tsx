// What a page shows instead of its contents: it is on its way, there is nothing, it failed.
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api";
import { Button } from "./Button";
import { Icon } from "./Icon";
import type { IconName } from "./Icon";

export function Loading({ what = "Loading", lines = 4 }: { what?: string; lines?: number }) {
    return (
        <div class="loading" role="status">
            <span class="visually-hidden">{what}…</span>
            {Array.from({ length: lines }, (_, i) => (
                <div key={i} class="skeleton" aria-hidden="true" />
            ))}
        </div>
    );
}

export function Empty({ icon = "info", title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
    return (
        <div class="empty">
            <span class="empty-icon">
                <Icon name={icon} size={28} />
            </span>
            <p class="empty-title">{title}</p>
            {children && <div class="empty-text">{children}</div>}
        </div>
    );
}

export function ErrorNotice({ error, again }: { error: ApiError; again?: () => void }) {
    return (
        <div class="notice notice-danger" role="alert">
            <Icon name="alert" />
            <div>
                <p>{error.message}</p>
                {error.requestId && error.status >= 500 && (
                    <p class="small">
                        Number for the operators: <code>{error.requestId}</code>
                    </p>
                )}
                {again && (
                    <Button icon="refresh" onClick={again}>
                        Try again
                    </Button>
                )}
            </div>
        </div>
    );
}

export function Notice({ kind = "info", children }: { kind?: "info" | "warn" | "ok"; children: ComponentChildren }) {
    return (
        <div class={`notice notice-${kind}`} role="note">
            <Icon name={kind === "ok" ? "check" : kind === "warn" ? "alert" : "info"} />
            <div>{children}</div>
        </div>
    );
}
