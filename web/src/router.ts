// Where we are is the address, and nothing else: what can be seen can be shared.
import { useEffect, useState } from "preact/hooks";

export interface Place {
    path: string;
    query: URLSearchParams;
}

const listeners = new Set<() => void>();

export function here(): Place {
    return { path: location.pathname, query: new URLSearchParams(location.search) };
}

function tell(): void {
    for (const listener of listeners) listener();
}

/** Go to an address of ours. `replace`: the one we leave is not worth coming back to. */
export function go(to: string, options: { replace?: boolean } = {}): void {
    const target = new URL(to, location.href);
    const same = target.pathname === location.pathname;
    if (target.href === location.href) return;
    if (options.replace) history.replaceState(history.state, "", target);
    else history.pushState(null, "", target);
    if (!same) scrollTo(0, 0);
    tell();
}

/** The same page with other parameters; null or "" takes one away. */
export function withQuery(change: Record<string, string | number | null | undefined>): string {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(change)) {
        if (value === null || value === undefined || value === "") query.delete(name);
        else query.set(name, String(value));
    }
    const text = query.toString();
    return location.pathname + (text ? "?" + text : "");
}

export function setQuery(
    change: Record<string, string | number | null | undefined>,
    options: { replace?: boolean } = {},
): void {
    go(withQuery(change), options);
}

export function usePlace(): Place {
    const [place, setPlace] = useState(here);
    useEffect(() => {
        const listener = () => setPlace(here());
        listeners.add(listener);
        return () => void listeners.delete(listener);
    }, []);
    return place;
}

// What the gateway answers itself is left to the browser.
const foreign = /^\/(api|v1|health|metrics|docs|openapi\.json|assets)(\/|$)/;

function onClick(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement)) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (foreign.test(link.pathname) || (link.hash && link.pathname === location.pathname)) return;
    event.preventDefault();
    go(link.href);
}

export function startRouter(): void {
    addEventListener("popstate", tell);
    document.addEventListener("click", onClick);
}
