// A combobox that finds nodes by their names.
import { useEffect, useId, useState } from "preact/hooks";
import { api } from "../../api";
import type { Schemas } from "../../api";
import { useDebounced, useLoad } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { aboutOf, nameOf } from "./model";
import type { Node } from "./model";

type Found = Schemas["GraphFound"];

export function Finder({ label, onFound, placeholder }: { label: string; onFound: (node: Node) => void; placeholder?: string }) {
    const id = useId();
    const [typed, setTyped] = useState("");
    const [open, setOpen] = useState(false);
    const [at, setAt] = useState(0);
    const late = useDebounced(typed.trim(), 150);
    const { data, error } = useLoad(late ? late : null, (signal) =>
        api.get<Found>("/api/graph/search", { query: { q: late, limit: 8 }, signal }).then((found) => ({ asked: late, nodes: found.nodes })),
    );
    const current = data?.asked === typed.trim(); // not the answer to what was typed before
    const [wanted, setWanted] = useState(false); // Enter came before the answer
    const list = open && late ? (data?.nodes ?? []) : [];
    const shown = list.length > 0;
    const nothing = open && late !== "" && current && !shown;

    useEffect(() => {
        if (!wanted || !current) return;
        setWanted(false);
        choose(data?.nodes[0]);
    }, [wanted, current]);
    const choose = (node: Node | undefined) => {
        if (!node) return;
        setTyped("");
        setOpen(false);
        setAt(0);
        onFound(node);
    };
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "Escape" && open) {
            event.preventDefault();
            setOpen(false);
        } else if (event.key === "Enter") {
            event.preventDefault();
            if (current || at > 0) choose(list[at]);
            else setWanted(typed.trim() !== "");
        } else if (shown && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
            event.preventDefault();
            setAt((at + (event.key === "ArrowDown" ? 1 : list.length - 1)) % list.length);
        }
    };
    return (
        <div class="finder">
            <label for={id + "-box"} class="visually-hidden">
                {label}
            </label>
            <Icon name="search" size={18} />
            <input
                id={id + "-box"}
                data-search-box
                class="input"
                type="search"
                role="combobox"
                aria-autocomplete="list"
                aria-expanded={shown}
                aria-controls={shown ? id : undefined}
                aria-activedescendant={shown ? `${id}-${at}` : undefined}
                placeholder={placeholder ?? label}
                autocomplete="off"
                maxLength={200}
                value={typed}
                onInput={(event) => {
                    setTyped(event.currentTarget.value);
                    setOpen(true);
                    setWanted(false);
                    setAt(0);
                }}
                onBlur={() => setOpen(false)}
                onKeyDown={onKey}
            />
            {shown && (
                <ul id={id} class="finder-list" role="listbox" aria-label="Nodes">
                    {list.map((node, i) => (
                        <li
                            key={node.id}
                            id={`${id}-${i}`}
                            role="option"
                            aria-selected={i === at}
                            onMouseDown={(event) => {
                                event.preventDefault();
                                choose(node);
                            }}
                        >
                            <span class="cut">{nameOf(node)}</span>
                            <span class="quiet small">{node.labels.join(", ")}</span>
                            <span class="finder-about cut quiet small">{aboutOf(node)}</span>
                        </li>
                    ))}
                </ul>
            )}
            <p class="visually-hidden" role="status">
                {nothing ? "No node has such a name." : shown ? `${list.length} nodes` : ""}
            </p>
            {(nothing || (error && open)) && <p class="finder-list finder-none">{error ? error.message : "No node has such a name."}</p>}
        </div>
    );
}
