// What is around every page: where one can go, who one is, and how it looks.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { areas } from "../areas";
import { go } from "../router";
import type { Place } from "../router";
import { useSession } from "../session";
import { setTheme, theme } from "../theme";
import type { Theme } from "../theme";
import { IconButton } from "./Button";
import { asError, useKeys } from "./hooks";
import { Icon } from "./Icon";
import { lastSearch } from "./lastSearch";
import { Shortcuts } from "./Shortcuts";
import { toast, Toasts } from "./Toast";

const nextTheme: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const themeWords: Record<Theme, string> = { system: "as the system", light: "light", dark: "dark" };

function ThemeSwitch() {
    const [now, setNow] = useState(theme);
    const next = nextTheme[now];
    return (
        <IconButton
            icon={now === "system" ? "system" : now === "light" ? "sun" : "moon"}
            label={`Colours: ${themeWords[now]}. Switch to ${themeWords[next]}`}
            onClick={() => {
                setTheme(next);
                setNow(next);
            }}
        />
    );
}

function Account({ place }: { place: Place }) {
    const session = useSession();
    const menu = useRef<HTMLDetailsElement>(null);
    useEffect(() => menu.current?.removeAttribute("open"), [place.path]);
    if (session.state === "visitor" && place.path !== "/login")
        return (
            <a class="button button-primary" href={"/login?next=" + encodeURIComponent(place.path + location.search)}>
                Sign in
            </a>
        );
    if (!session.me) return null;
    const { me } = session;
    return (
        <details
            ref={menu}
            class="account"
            onKeyDown={(event) => {
                if (event.key !== "Escape") return;
                menu.current?.removeAttribute("open");
                menu.current?.querySelector("summary")?.focus();
            }}
            onFocusOut={(event) => {
                if (!menu.current?.contains(event.relatedTarget as Node | null)) menu.current?.removeAttribute("open");
            }}
        >
            <summary aria-label={"Account of " + (me.username || me.user_id)}>
                <Icon name="person" />
                <span class="account-name">{me.username || me.user_id}</span>
            </summary>
            <div class="account-menu">
                <p class="account-who">{me.username || me.user_id}</p>
                <p class="small quiet">
                    Role {me.role}
                    {me.department ? `, ${me.department}` : ""}
                </p>
                {me.trusted ? (
                    <p class="small quiet">Whoever reaches this server is its operator: it asks nobody to sign in.</p>
                ) : (
                    <button
                        type="button"
                        class="button button-plain"
                        onClick={() =>
                            session.signOut().then(
                                () => go("/login"),
                                (fault: unknown) => toast({ text: asError(fault).message, kind: "danger" }),
                            )
                        }
                    >
                        Sign out
                    </button>
                )}
            </div>
        </details>
    );
}

function Navigation({ place }: { place: Place }) {
    const session = useSession();
    return (
        <nav class="nav" aria-label="Areas">
            <ul>
                {areas
                    .filter((area) => !area.permission || session.may(area.permission))
                    .map((area) => {
                        const current = place.path === "/" + area.name || place.path.startsWith(`/${area.name}/`);
                        return (
                            <li key={area.name}>
                                <a href={"/" + area.name} aria-current={current ? "page" : undefined}>
                                    <Icon name={area.icon} />
                                    <span>{area.title}</span>
                                </a>
                            </li>
                        );
                    })}
            </ul>
        </nav>
    );
}

function useShortcuts(openHelp: () => void): void {
    const session = useSession();
    const afterG = useRef(0);
    const goTo = (key: string) => {
        const area = areas.find((one) => one.key === key);
        if (!area || Date.now() - afterG.current > 1500) return;
        afterG.current = 0;
        if (!area.permission || session.may(area.permission)) go("/" + area.name);
    };
    useKeys({
        "?": openHelp,
        g: () => void (afterG.current = Date.now()),
        "/": () => {
            const box = document.querySelector<HTMLInputElement>("[data-search-box]");
            if (box) {
                box.focus();
                box.select();
            } else go(lastSearch(session.me?.user_id ?? "") || "/search");
        },
        ...Object.fromEntries(areas.map((area) => [area.key, () => goTo(area.key)])),
    });
}

export function Frame({ place, children }: { place: Place; children: ComponentChildren }) {
    const [help, setHelp] = useState(false);
    useShortcuts(() => setHelp(true));
    return (
        <>
            <a class="skip" href="#main" onClick={() => document.getElementById("main")?.focus()}>
                Skip to the contents
            </a>
            <header class="top">
                <a class="brand" href="/search" aria-label="Cairn, to the search">
                    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
                        <ellipse cx="16" cy="25" rx="11" ry="4" />
                        <ellipse cx="17" cy="17" rx="8" ry="3.4" />
                        <ellipse cx="15.4" cy="10" rx="5.2" ry="2.8" />
                        <ellipse cx="16.4" cy="4.6" rx="2.8" ry="1.9" />
                    </svg>
                    <span>Cairn</span>
                </a>
                <Navigation place={place} />
                {/* It comes later than the tools: in front of them it moves nothing. */}
                <Account place={place} />
                <div class="top-tools">
                    <ThemeSwitch />
                    <IconButton icon="help" label="Keys and help" onClick={() => setHelp(true)} />
                </div>
            </header>
            <main id="main" tabIndex={-1}>
                {children}
            </main>
            <Toasts />
            {help && <Shortcuts onClose={() => setHelp(false)} />}
        </>
    );
}
