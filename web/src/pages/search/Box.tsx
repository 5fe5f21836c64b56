// The search box with its suggestions: what was searched lately, terms of the glossary,
// documents that were found before. A combobox as readers know it.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { api } from "../../api";
import type { Schemas } from "../../api";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { useDebounced } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import type { IconName } from "../../ui/Icon";
import { recent } from "./query";

interface Suggestion {
    text: string;
    icon: IconName;
    kind: string;
}

const seenTitles = new Set<string>();
let seenBy = "";

/** Titles in answers are worth suggesting while the page is open, to who saw them. */
export function sawTitles(user: string, titles: readonly string[]): void {
    if (user !== seenBy) seenTitles.clear();
    seenBy = user;
    for (const title of titles) if (title && seenTitles.size < 500) seenTitles.add(title);
}

function begins(text: string, typed: string): boolean {
    const low = text.toLowerCase();
    return low !== typed && (low.startsWith(typed) || low.includes(" " + typed));
}

function useTerms(typed: string): string[] {
    const session = useSession();
    const late = useDebounced(typed, 200);
    const [terms, setTerms] = useState<string[]>([]);
    const may = session.may("read_glossary");
    useEffect(() => {
        if (!may || late.length < 2) {
            setTerms([]);
            return undefined;
        }
        const abort = new AbortController();
        api.get<Schemas["GlossaryPage"]>("/api/glossary", { query: { q: late, per_page: 5 }, signal: abort.signal }).then(
            (page) => setTerms(page.entries.map((entry) => entry.term)),
            () => {}, // suggestions are a help, and no more
        );
        return () => abort.abort();
    }, [late, may]);
    return terms;
}

function suggest(typed: string, terms: readonly string[]): Suggestion[] {
    const low = typed.trim().toLowerCase();
    const list: Suggestion[] = recent()
        .filter((text) => low === "" || begins(text, low))
        .slice(0, low === "" ? 6 : 3)
        .map((text) => ({ text, icon: "clock", kind: "searched lately" }));
    if (low === "") return list;
    for (const term of terms) if (term.toLowerCase() !== low) list.push({ text: term, icon: "book", kind: "glossary" });
    for (const title of seenTitles) if (list.length < 9 && begins(title, low)) list.push({ text: title, icon: "documents", kind: "document" });
    return list.filter((one, i) => list.findIndex((other) => other.text === one.text) === i).slice(0, 9);
}

export function Box({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
    const id = useId();
    const box = useRef<HTMLInputElement>(null);
    const [typed, setTyped] = useState(q);
    const [open, setOpen] = useState(false);
    const [at, setAt] = useState(-1);
    const terms = useTerms(open ? typed.trim() : "");
    const list = open ? suggest(typed, terms) : [];
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
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape" && shown) {
            event.preventDefault();
            setOpen(false);
            setAt(-1);
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
                search(list[at]?.text ?? typed);
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
                                key={one.text}
                                id={`${id}-${i}`}
                                role="option"
                                aria-selected={i === at}
                                onMouseDown={(event) => {
                                    event.preventDefault(); // the box keeps the focus
                                    search(one.text);
                                }}
                            >
                                <Icon name={one.icon} size={18} />
                                <span class="cut">{one.text}</span>
                                <span class="quiet small">{one.kind}</span>
                            </li>
                        ))}
                    </ul>
                )}
            </div>
            <Button kind="primary" type="submit">
                Search
            </Button>
        </form>
    );
}
