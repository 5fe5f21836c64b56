// The search box with its suggestions: what was searched lately, and what the server has
// for what is typed. A combobox as readers know it.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { segment } from "../../api";
import { go } from "../../router";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import type { IconName } from "../../ui/Icon";
import { recent } from "./query";
import { useSuggestions } from "./suggestions";
import type { Suggestion } from "./suggestions";

interface Offer {
    key: string;
    text: string;
    icon: IconName;
    kind: string;
    leads?: string; // to a page, instead of a search
}

const kinds: Record<Suggestion["kind"], { icon: IconName; kind: string }> = {
    word: { icon: "search", kind: "" },
    term: { icon: "book", kind: "glossary" },
    title: { icon: "documents", kind: "document" },
};

const TITLES = 3; // first of all: who types the beginning of a title wants that document

function begins(text: string, typed: string): boolean {
    const low = text.toLowerCase();
    return low !== typed && (low.startsWith(typed) || low.includes(" " + typed));
}

function offerOf(one: Suggestion): Offer {
    const leads = one.kind === "title" && one.id ? { leads: "/documents/" + segment(one.id) } : {};
    return { key: `${one.kind} ${one.id ?? ""} ${one.text}`, text: one.text, ...kinds[one.kind], ...leads };
}

function offers(typed: string, suggestions: readonly Suggestion[]): Offer[] {
    const low = typed.trim().toLowerCase();
    const lately: Offer[] = recent()
        .filter((text) => low === "" || begins(text, low))
        .slice(0, low === "" ? 6 : 3)
        .map((text) => ({ key: "lately " + text, text, icon: "clock", kind: "searched lately" }));
    if (low === "") return lately;
    const more = suggestions.map(offerOf).filter((one) => one.leads || lately.every((other) => other.text !== one.text));
    const titles = more.filter((one) => one.leads && one.text.toLowerCase().startsWith(low)).slice(0, TITLES);
    return [...titles, ...lately, ...more.filter((one) => !titles.includes(one))].slice(0, 10);
}

/** What is not typed yet stands out. */
function Text({ text, typed }: { text: string; typed: string }) {
    const low = typed.trim().toLowerCase();
    if (low === "" || !text.toLowerCase().startsWith(low)) return <span class="cut">{text}</span>;
    return (
        <span class="cut">
            {text.slice(0, low.length)}
            <b>{text.slice(low.length)}</b>
        </span>
    );
}

export function Box({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
    const id = useId();
    const box = useRef<HTMLInputElement>(null);
    const [typed, setTyped] = useState(q);
    const [open, setOpen] = useState(false);
    const [at, setAt] = useState(-1);
    const suggestions = useSuggestions(open ? typed : "");
    const list = open ? offers(typed, suggestions) : [];
    const shown = list.length > 0;

    useEffect(() => setTyped(q), [q]);
    useEffect(() => {
        if (!q) box.current?.focus({ preventScroll: true });
    }, []);

    const search = (text: string) => {
        setOpen(false);
        setAt(-1);
        setTyped(text);
        if (text.trim()) onSearch(text.trim());
    };
    const choose = (one: Offer | undefined) => {
        if (one?.leads) go(one.leads);
        else search(one?.text ?? typed);
    };
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape" && shown) {
            event.preventDefault();
            setOpen(false);
            setAt(-1);
        } else if (event.key === "Escape") {
            event.preventDefault(); // the browser would empty the box beside results that stay
            setTyped(q);
        } else if (event.key === "ArrowDown" && !open && q !== "" && typed.trim() === q) {
            event.preventDefault();
            document.querySelector<HTMLElement>("[data-result]")?.focus();
        } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const step = event.key === "ArrowDown" ? 1 : -1;
            if (!open) setOpen(true);
            else if (shown) setAt(at + step < -1 ? list.length - 1 : at + step >= list.length ? -1 : at + step);
        }
    };
    return (
        <form
            class="search-form"
            role="search"
            onSubmit={(event) => {
                event.preventDefault();
                choose(list[at]);
            }}
        >
            <div class="search-box">
                <Icon name="search" />
                <input
                    ref={box}
                    data-search-box
                    type="search"
                    role="combobox"
                    aria-label="Search"
                    aria-autocomplete="list"
                    aria-expanded={shown}
                    aria-controls={shown ? id : undefined}
                    aria-activedescendant={at >= 0 && shown ? `${id}-${at}` : undefined}
                    placeholder="What are you looking for?"
                    autocomplete="off"
                    maxLength={2000}
                    value={typed}
                    onInput={(event) => {
                        setTyped(event.currentTarget.value);
                        setAt(-1);
                        setOpen(true);
                    }}
                    onClick={() => setOpen(true)}
                    onBlur={() => setOpen(false)}
                    onKeyDown={onKey}
                />
                {shown && (
                    <ul id={id} class="suggestions" role="listbox" aria-label="Suggestions">
                        {list.map((one, i) => (
                            <li
                                key={one.key}
                                id={`${id}-${i}`}
                                role="option"
                                aria-selected={i === at}
                                onMouseDown={(event) => {
                                    event.preventDefault(); // the box keeps the focus
                                    choose(one);
                                }}
                            >
                                <Icon name={one.icon} size={18} />
                                <Text text={one.text} typed={typed} />
                                <span class="quiet small">{one.kind}</span>
                            </li>
                        ))}
                    </ul>
                )}
                <span class="visually-hidden" role="status">
                    {shown ? `${list.length} suggestion${list.length === 1 ? "" : "s"}` : ""}
                </span>
            </div>
            <Button kind="primary" type="submit">
                Search
            </Button>
        </form>
    );
}
