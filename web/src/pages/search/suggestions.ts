// What the server suggests for what is typed so far. Suggestions are a help and no more:
// what goes wrong is not told, and who asked too much is left in peace for a while.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../../api";
import type { Schemas } from "../../api";
import { useDebounced } from "../../ui/hooks";

export type Suggestion = Schemas["Suggestions"]["suggestions"][number];

const LEAST = 2; // characters
const LATER_MS = 150; // after the last key
const KEPT = 50; // answers, for who goes back a letter
const QUIET_S = 10;

/** Those of the last answer that came, until the next one does. */
export function useSuggestions(typed: string): readonly Suggestion[] {
    const late = useDebounced(typed, LATER_MS);
    const [list, setList] = useState<readonly Suggestion[]>([]);
    const kept = useRef(new Map<string, readonly Suggestion[]>());
    const quietUntil = useRef(0);
    const asks = late.trim().length >= LEAST;

    useEffect(() => {
        if (!asks) {
            setList([]);
            return undefined;
        }
        const known = kept.current.get(late);
        if (known) {
            setList(known);
            return undefined;
        }
        if (Date.now() < quietUntil.current) return undefined;
        const abort = new AbortController();
        api.get<Schemas["Suggestions"]>("/api/suggest", { query: { q: late, limit: 8 }, signal: abort.signal }).then(
            (answer) => {
                if (abort.signal.aborted) return;
                if (kept.current.size >= KEPT) kept.current.clear();
                kept.current.set(late, answer.suggestions);
                setList(answer.suggestions);
            },
            (fault: unknown) => {
                if (abort.signal.aborted) return;
                setList([]);
                const seconds = fault instanceof ApiError ? fault.retryAfter : null;
                quietUntil.current = Date.now() + 1000 * (seconds ?? QUIET_S);
            },
        );
        return () => abort.abort();
    }, [late, asks]);
    return asks && typed.trim().length >= LEAST ? list : [];
}
