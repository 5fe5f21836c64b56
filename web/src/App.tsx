import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { areas, login } from "./areas";
import type { PageProps } from "./areas";
import { go, usePlace } from "./router";
import type { Place } from "./router";
import { useSession } from "./session";
import { asError, useTitle } from "./ui/hooks";
import { Frame } from "./ui/Frame";
import { Empty, ErrorNotice, Loading } from "./ui/States";
import type { ApiError } from "./api";

function segments(path: string): string[] {
    return path
        .split("/")
        .filter(Boolean)
        .map((part) => {
            try {
                return decodeURIComponent(part);
            } catch {
                return part; // not escaped as it should be: nothing will have this name
            }
        });
}

type Page = ComponentType<PageProps>;
const loaded = new Map<string, Page>();

/** The area's page, once its script is there. */
function usePage(name: string, load: (() => Promise<{ default: Page }>) | null) {
    const [, setRound] = useState(0);
    const [error, setError] = useState<ApiError | null>(null);
    useEffect(() => {
        let wanted = true;
        setError(null);
        if (!load || loaded.has(name)) return undefined;
        load().then(
            (module) => {
                loaded.set(name, module.default);
                if (wanted) setRound((n) => n + 1);
            },
            (fault: unknown) => wanted && setError(asError(fault)),
        );
        return () => void (wanted = false);
    }, [name]);
    return { page: loaded.get(name) ?? null, error };
}

function NoSuchPage() {
    useTitle("No such page");
    return (
        <Empty icon="info" title="There is no page at this address">
            <a href="/search">Go to the search</a>
        </Empty>
    );
}

function NotAllowed({ visitor }: { visitor: boolean }) {
    useTitle("Not allowed");
    return visitor ? (
        <Empty icon="person" title="Sign in to see this">
            <a class="button button-primary" href={"/login?next=" + encodeURIComponent(location.pathname + location.search)}>
                Sign in
            </a>
        </Empty>
    ) : (
        <Empty icon="shield" title="Your role does not allow this">
            <a href="/search">Go to the search</a>
        </Empty>
    );
}

function Contents({ place }: { place: Place }) {
    const session = useSession();
    const [first = "search", ...rest] = segments(place.path);
    const area = areas.find((one) => one.name === first) ?? (first === "login" ? login : null);
    const { page: Page, error } = usePage(first, area?.load ?? null);

    if (!area) return <NoSuchPage />;
    if (error) return <ErrorNotice error={error} again={() => location.reload()} />;
    if (session.state === "loading" || !Page) return <Loading what="Loading the page" />;
    if (session.state === "unreachable" && session.error)
        return <ErrorNotice error={session.error} again={session.again} />;
    const permission = "permission" in area ? (area as (typeof areas)[number]).permission : null;
    if (permission && !session.may(permission)) return <NotAllowed visitor={session.state === "visitor"} />;
    return <Page key={first} rest={rest} query={place.query} />;
}

/** Who goes on by the keyboard goes on at the new page's name. */
function useFocusOnArrival(path: string): void {
    const before = useRef(path);
    useEffect(() => {
        if (before.current === path) return undefined;
        before.current = path;
        const frame = requestAnimationFrame(() => {
            const main = document.getElementById("main");
            if (main?.contains(document.activeElement)) return;
            (main?.querySelector<HTMLElement>("h1") ?? main)?.focus({ preventScroll: true });
        });
        return () => cancelAnimationFrame(frame);
    }, [path]);
}

export function App() {
    const place = usePlace();
    useFocusOnArrival(place.path);
    useEffect(() => {
        if (place.path === "/") go("/search" + location.search, { replace: true });
    }, [place.path]);
    return (
        <Frame place={place}>
            <Contents place={place} />
        </Frame>
    );
}
