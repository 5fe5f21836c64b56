import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, wasAborted } from "../api";

export interface Loaded<T> {
    data: T | null; // the last that came, also while the next is awaited
    error: ApiError | null;
    loading: boolean;
    again(): void;
}

export function asError(fault: unknown): ApiError {
    return fault instanceof ApiError ? fault : new ApiError(0, "fault", "The page had a fault: " + String(fault));
}

/** Load when `key` changes; what was asked before is given up. A key of null asks nothing. */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
    const [state, setState] = useState<{ data: T | null; error: ApiError | null; loading: boolean }>({
        data: null,
        error: null,
        loading: key !== null,
    });
    const [round, setRound] = useState(0);
    const latest = useRef(load);
    latest.current = load;

    useEffect(() => {
        if (key === null) {
            setState({ data: null, error: null, loading: false });
            return undefined;
        }
        const abort = new AbortController();
        setState((old) => ({ ...old, loading: true }));
        latest.current(abort.signal).then(
            (data) => abort.signal.aborted || setState({ data, error: null, loading: false }),
            (fault: unknown) => {
                if (abort.signal.aborted || wasAborted(fault)) return;
                setState((old) => ({ data: old.data, error: asError(fault), loading: false }));
            },
        );
        return () => abort.abort();
    }, [key, round]);

    const again = useCallback(() => setRound((n) => n + 1), []);
    return { ...state, again };
}

export function useDebounced<T>(value: T, ms: number): T {
    const [late, setLate] = useState(value);
    useEffect(() => {
        const timer = setTimeout(() => setLate(value), ms);
        return () => clearTimeout(timer);
    }, [value, ms]);
    return late;
}

/** The document's title: "Search · Cairn". */
export function useTitle(title: string): void {
    useEffect(() => {
        document.title = title ? `${title} · Cairn` : "Cairn";
    }, [title]);
}

/** Again and again while the page is looked at. */
export function useEvery(ms: number, what: () => void): void {
    const latest = useRef(what);
    latest.current = what;
    useEffect(() => {
        const timer = setInterval(() => document.hidden || latest.current(), ms);
        return () => clearInterval(timer);
    }, [ms]);
}

export function isTyping(target: EventTarget | null): boolean {
    return (
        target instanceof HTMLElement &&
        (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
    );
}

/** Single keys, which mean nothing while somebody types or a dialog is open. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
    const latest = useRef(keys);
    latest.current = keys;
    useEffect(() => {
        const onKey = (event: KeyboardEvent) => {
            if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
            if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
            const what = latest.current[event.key];
            if (!what) return;
            event.preventDefault();
            what(event);
        };
        document.addEventListener("keydown", onKey);
        return () => document.removeEventListener("keydown", onKey);
    }, []);
}
