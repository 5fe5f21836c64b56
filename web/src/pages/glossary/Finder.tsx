// A combobox that finds terms.
import { useId, useState } from "preact/hooks";
import { api } from "../../api";
import { useDebounced, useLoad } from "../../ui/hooks";
import { languageName } from "./model";
import type { Term, TermPage } from "./model";

export function Finder({ label, without, chosen, onChoose }: { label: string; without: string; chosen: Term | null; onChoose: (term: Term | null) => void }) {
    const id = useId();
    const [typed, setTyped] = useState("");
    const [open, setOpen] = useState(false);
    const [at, setAt] = useState(0);
    const late = useDebounced(typed.trim(), 150);
    const { data, error } = useLoad(late && !chosen ? late : null, (signal) => api.get<TermPage>("/api/glossary", { query: { q: late, per_page: 9 }, signal }));
    const list = open && late && !chosen ? (data?.entries ?? []).filter((one) => one.id !== without).slice(0, 8) : [];
    const shown = list.length > 0;
    const nothing = open && late !== "" && data !== null && late === typed.trim() && !shown && !chosen;

    const choose = (term: Term | undefined) => {
        if (!term) return;
        setTyped(term.term);
        setOpen(false);
        onChoose(term);
    };
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape" && shown) {
            event.preventDefault();
            setOpen(false);
        } else if (event.key === "Enter" && shown) {
            event.preventDefault();
            choose(list[at]);
        } else if (shown && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
            event.preventDefault();
            setAt((at + (event.key === "ArrowDown" ? 1 : list.length - 1)) % list.length);
        }
    };
    return (
        <div class="field term-finder">
            <label for={id + "-box"} class="field-label">
                {label}
            </label>
            <input
                id={id + "-box"}
                class="input"
                type="text"
                role="combobox"
                aria-autocomplete="list"
                aria-expanded={shown}
                aria-controls={shown ? id : undefined}
                aria-activedescendant={shown ? `${id}-${at}` : undefined}
                placeholder="Begin to write it"
                autocomplete="off"
                maxLength={200}
                value={chosen ? chosen.term : typed}
                onInput={(event) => {
                    setTyped(event.currentTarget.value);
                    setOpen(true);
                    setAt(0);
                    onChoose(null);
                }}
                onBlur={() => setOpen(false)}
                onKeyDown={onKey}
            />
            {shown && (
                <ul id={id} class="term-finder-list" role="listbox" aria-label="Terms">
                    {list.map((term, i) => (
                        <li
                            key={term.id}
                            id={`${id}-${i}`}
                            role="option"
                            aria-selected={i === at}
                            onMouseDown={(event) => {
                                event.preventDefault();
                                choose(term);
                            }}
                        >
                            <span class="cut">{term.term}</span>
                            <span class="quiet small">{[languageName(term.language), term.domain].filter(Boolean).join(", ")}</span>
                        </li>
                    ))}
                </ul>
            )}
            <p class="field-help" role="status">
                {error ? error.message : nothing ? "No term is like that." : ""}
            </p>
        </div>
    );
}
