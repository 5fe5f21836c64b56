// Who is there. A visitor is who showed nothing where something can be shown; where all
// are trusted there is nobody to sign in.
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useMemo, useState } from "preact/hooks";
import { api, ApiError, setCsrf, whenSessionEnds, wasAborted } from "./api";
import type { Schemas } from "./api";

export type Me = Schemas["Identity"];

export interface Session {
    state: "loading" | "known" | "visitor" | "unreachable";
    me: Me | null;
    error: ApiError | null;
    /** Whether the role allows it; visitors are thought to be able to search. */
    may(permission: string): boolean;
    signIn(username: string, password: string, remember: boolean): Promise<void>;
    signOut(): Promise<void>;
    again(): void;
}

/** What pages keep in the browser of a user's searches begins so. */
export const KEPT_SEARCHES = "cairn.searches.";

/** The next one at this machine need not know. */
function forgetSearches(): void {
    try {
        for (const key of Object.keys(localStorage)) if (key.startsWith(KEPT_SEARCHES)) localStorage.removeItem(key);
    } catch {
        // storage is closed to us: nothing was kept
    }
}

const Context = createContext<Session | null>(null);

export function useSession(): Session {
    const session = useContext(Context);
    if (!session) throw new Error("outside of a session");
    return session;
}

interface Known {
    state: Session["state"];
    me: Me | null;
    error: ApiError | null;
}

function mayOf(known: Known, permission: string): boolean {
    if (known.me) return known.me.permissions.includes(permission);
    return known.state === "visitor" && permission === "search";
}

export function SessionProvider({ children }: { children: ComponentChildren }) {
    const [known, setKnown] = useState<Known>({ state: "loading", me: null, error: null });

    const learn = useCallback(async (signal?: AbortSignal) => {
        try {
            const me = await api.get<Me>("/api/auth/me", signal ? { signal } : {});
            setCsrf(me.csrf_token ?? null);
            setKnown({ state: "known", me, error: null });
        } catch (fault) {
            if (wasAborted(fault)) return;
            const error = fault instanceof ApiError ? fault : new ApiError(0, "", String(fault));
            const visitor = error.status === 401 || error.status === 403;
            setCsrf(null);
            setKnown({ state: visitor ? "visitor" : "unreachable", me: null, error: visitor ? null : error });
        }
    }, []);

    useEffect(() => {
        const abort = new AbortController();
        whenSessionEnds(() => {
            setCsrf(null);
            setKnown({ state: "visitor", me: null, error: null });
        });
        void learn(abort.signal);
        return () => abort.abort();
    }, [learn]);

    const session = useMemo<Session>(
        () => ({
            ...known,
            may: (permission) => mayOf(known, permission),
            async signIn(username, password, remember) {
                await api.post("/api/auth/login", { username, password, remember });
                await learn();
            },
            async signOut() {
                await api.post("/api/auth/logout");
                forgetSearches();
                await learn();
            },
            again: () => void learn(),
        }),
        [known, learn],
    );
    return <Context.Provider value={session}>{children}</Context.Provider>;
}
