import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";

export interface Tab {
    id: string;
    text: string;
}

/** Arrow keys go from one to the next, as readers expect of tabs; the chosen one belongs
 * into the address: setQuery({tab: id}). */
export function Tabs(props: {
    label: string;
    tabs: readonly Tab[];
    chosen: string;
    onChoose: (id: string) => void;
    children: ComponentChildren;
}) {
    const base = useId();
    const list = useRef<HTMLDivElement>(null);
    const step = (event: KeyboardEvent) => {
        const at = props.tabs.findIndex((tab) => tab.id === props.chosen);
        const last = props.tabs.length - 1;
        const to =
            event.key === "ArrowRight" ? (at === last ? 0 : at + 1)
            : event.key === "ArrowLeft" ? (at <= 0 ? last : at - 1)
            : event.key === "Home" ? 0
            : event.key === "End" ? last
            : -1;
        const next = props.tabs[to];
        if (!next) return;
        event.preventDefault();
        props.onChoose(next.id);
        list.current?.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
    };
    return (
        <>
            <div ref={list} class="tabs" role="tablist" aria-label={props.label} onKeyDown={step}>
                {props.tabs.map((tab) => (
                    <button
                        key={tab.id}
                        type="button"
                        role="tab"
                        id={`${base}-${tab.id}`}
                        aria-selected={tab.id === props.chosen}
                        aria-controls={base + "-panel"}
                        tabIndex={tab.id === props.chosen ? 0 : -1}
                        onClick={() => props.onChoose(tab.id)}
                    >
                        {tab.text}
                    </button>
                ))}
            </div>
            <div id={base + "-panel"} role="tabpanel" aria-labelledby={`${base}-${props.chosen}`} class="tab-panel" tabIndex={0}>
                {props.children}
            </div>
        </>
    );
}
