// What goes on until it ends (a job, a run of backups), followed as the server tells of it
// (server-sent events), so that who loads the page anew sees it go on. Where no stream is to
// be had (too many of them, a proxy that holds them back) it is asked for again and again.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, wasAborted } from "../api";
import type { ApiError } from "../api";
import { asError } from "./hooks";

export interface Lasting {
    state: string;
}

export interface Followed<T> {
    now: T | null;
    error: ApiError | null;
}

const ended = new Set(["done", "failed", "cancelled"]);
const STREAMS = 3; // at once: a browser has six connections to a server

export function hasEnded(thing: Lasting | null): boolean {
    return thing !== null && ended.has(thing.state);
}

/** Tells of what is at `path` until it has ended or `signal` is given up. */
function follow<T extends Lasting>(path: string, signal: AbortSignal, tell: (what: Partial<Followed<T>>) => void): void {
    let timer = 0;
    const source = new EventSource(path + "/events");
    const ask = async () => {
        try {
            const now = await api.get<T>(path, { signal });
            tell({ now, error: null });
            if (!hasEnded(now)) timer = window.setTimeout(() => void ask(), 1000);
        } catch (fault) {
            if (signal.aborted || wasAborted(fault)) return;
            const error = asError(fault);
            tell({ error });
            // what passes is waited out; what is not there never will be
            if (error.status === 0 || error.status === 429 || error.status >= 500) timer = window.setTimeout(() => void ask(), 3000);
        }
    };
    const take = (event: MessageEvent<string>) => {
        const now = JSON.parse(event.data) as T;
        if (hasEnded(now)) source.close();
        tell({ now, error: null });
    };
    source.addEventListener("progress", take);
    source.addEventListener("end", take);
    // a stream that broke is taken up again by the browser; one that was refused is not
    source.onerror = () => {
        if (source.readyState === EventSource.CLOSED && !signal.aborted) void ask();
    };
    signal.addEventListener("abort", () => {
        source.close();
        clearTimeout(timer);
    });
}

/** Of null nothing is known. */
export function useFollowed<T extends Lasting>(path: string | null): Followed<T> {
    const [state, setState] = useState<Followed<T>>({ now: null, error: null });
    useEffect(() => {
        setState({ now: null, error: null });
        if (path === null) return undefined;
        const abort = new AbortController();
        follow<T>(path, abort.signal, (what) => abort.signal.aborted || setState((old) => ({ ...old, ...what })));
        return () => abort.abort();
    }, [path]);
    return state;
}

/** What it came to. */
export function awaitEnd<T extends Lasting>(path: string): Promise<T> {
    return new Promise((done, failed) => {
        const abort = new AbortController();
        follow<T>(path, abort.signal, ({ now, error }) => {
            if (error) failed(error);
            else if (now && hasEnded(now)) done(now);
            else return;
            abort.abort();
        });
    });
}

/** A list, with what is under way as it is by now; `onEnd` is called when something of it ended. */
export function useLive<T extends Lasting>(listed: readonly T[], pathOf: (thing: T) => string, onEnd: () => void): readonly T[] {
    const [told, setTold] = useState<ReadonlyMap<string, T>>(new Map());
    const streams = useRef(new Map<string, AbortController>());
    const latest = useRef(onEnd);
    latest.current = onEnd;
    const open = listed.filter((one) => !hasEnded(one)).slice(0, STREAMS).map(pathOf);
    const begin = (path: string) => {
        const abort = new AbortController();
        streams.current.set(path, abort);
        follow<T>(path, abort.signal, ({ now }) => {
            if (abort.signal.aborted || !now) return;
            setTold((old) => new Map([...old].filter(([key]) => streams.current.has(key))).set(path, now));
            if (hasEnded(now)) latest.current();
        });
    };
    const giveUp = (but: readonly string[]) => {
        for (const [path, abort] of streams.current) {
            if (but.includes(path)) continue;
            abort.abort();
            streams.current.delete(path);
        }
    };
    useEffect(() => {
        giveUp(open);
        for (const path of open) if (!streams.current.has(path)) begin(path);
    }, [open.join(" ")]);
    useEffect(() => () => giveUp([]), []);
    return listed.map((one) => (hasEnded(one) ? one : (told.get(pathOf(one)) ?? one)));
}
