import type { ComponentChildren } from "preact";

export function Badge({ kind = "plain", children }: { kind?: "plain" | "ok" | "warn" | "danger" | "accent"; children: ComponentChildren }) {
    return <span class={`badge badge-${kind}`}>{children}</span>;
}

/** `share` from 0 to 1; null: nobody knows how long it takes. */
export function Progress({ label, share }: { label: string; share: number | null }) {
    const value = share === null ? undefined : Math.round(Math.min(1, Math.max(0, share)) * 100);
    return <progress class="progress" aria-label={label} max={100} {...(value === undefined ? {} : { value })} />;
}

export function Card({ title, children, actions }: { title?: string; children: ComponentChildren; actions?: ComponentChildren }) {
    return (
        <section class="card">
            {(title || actions) && (
                <header class="card-head">
                    {title && <h2>{title}</h2>}
                    {actions && <div class="card-actions">{actions}</div>}
                </header>
            )}
            {children}
        </section>
    );
}

/** A page's head: its name, what it is for, and what can be done. */
export function PageHead({ title, children, actions }: { title: string; children?: ComponentChildren; actions?: ComponentChildren }) {
    return (
        <header class="page-head">
            <div>
                <h1 tabIndex={-1}>{title}</h1>
                {children && <div class="page-lead">{children}</div>}
            </div>
            {actions && <div class="page-actions">{actions}</div>}
        </header>
    );
}
