// Short words about what just happened, read aloud by screen readers; with something to
// take it back where that can be done.
import { useEffect, useState } from "preact/hooks";
import { IconButton } from "./Button";

export interface Toast {
    text: string;
    kind?: "ok" | "danger";
    action?: { label: string; run: () => void };
    seconds?: number; // 0: until it is closed
}

type Shown = Toast & { id: number };
let next = 1;
let shown: Shown[] = [];
const listeners = new Set<() => void>();

function change(list: Shown[]): void {
    shown = list;
    for (const listener of listeners) listener();
}

/** Returns what takes it away. */
export function toast(what: Toast): () => void {
    const id = next++;
    const close = () => change(shown.filter((one) => one.id !== id));
    change([...shown.slice(-2), { ...what, id }]);
    const seconds = what.seconds ?? (what.action ? 10 : 5);
    if (seconds > 0) setTimeout(close, seconds * 1000);
    return close;
}

export function Toasts() {
    const [list, setList] = useState(shown);
    useEffect(() => {
        const listener = () => setList(shown);
        listeners.add(listener);
        return () => void listeners.delete(listener);
    }, []);
    const close = (id: number) => change(shown.filter((one) => one.id !== id));
    return (
        <div class="toasts" role="status" aria-live="polite">
            {list.map((one) => (
                <div key={one.id} class={`toast toast-${one.kind ?? "ok"}`}>
                    <span>{one.text}</span>
                    {one.action && (
                        <button
                            type="button"
                            class="toast-action"
                            onClick={() => {
                                close(one.id);
                                one.action?.run();
                            }}
                        >
                            {one.action.label}
                        </button>
                    )}
                    <IconButton icon="close" label="Close this message" onClick={() => close(one.id)} />
                </div>
            ))}
        </div>
    );
}
