// Deleting can be taken back because nothing has been asked of the server yet: that
// happens when the time for it is over. Who closes the page before has deleted nothing.
import { useEffect, useState } from "preact/hooks";
import { api, segment } from "../../api";
import { asError } from "../../ui/hooks";
import { toast } from "../../ui/Toast";
import { titleOf } from "./model";

const SECONDS = 8;
const waiting = new Map<string, { timer: number; close: () => void }>();
const gone = new Set<string>(); // deleted, though a list that came before may name them
const listeners = new Set<() => void>();

function tell(): void {
    for (const listener of listeners) listener();
}

async function finish(id: string, title: string): Promise<void> {
    waiting.get(id)?.close();
    waiting.delete(id);
    gone.add(id);
    tell();
    try {
        await api.del("/api/documents/" + segment(id));
    } catch (fault) {
        const error = asError(fault);
        if (error.status !== 404) {
            gone.delete(id);
            toast({ kind: "danger", seconds: 0, text: `“${title}” was not deleted. ${error.message}` });
        }
    }
    tell();
}

function keep(id: string): void {
    const one = waiting.get(id);
    if (!one) return;
    clearTimeout(one.timer);
    waiting.delete(id);
    tell();
}

export function deleteLater(document: { title: string; document_id: string }): void {
    const id = document.document_id;
    if (waiting.has(id)) return;
    const title = titleOf(document);
    const close = toast({ text: `“${title}” is deleted`, seconds: SECONDS, action: { label: "Undo", run: () => keep(id) } });
    waiting.set(id, { timer: window.setTimeout(() => void finish(id, title), SECONDS * 1000), close });
    tell();
}

/** It was stored again under its id. */
export function isBack(id: string): void {
    keep(id);
    gone.delete(id);
    tell();
}

/** Whether a document is on its way out; the caller is drawn anew when that changes. */
export function useDeleted(): (id: string) => boolean {
    const [, setRound] = useState(0);
    useEffect(() => {
        const listener = () => setRound((n) => n + 1);
        listeners.add(listener);
        return () => void listeners.delete(listener);
    }, []);
    return (id) => waiting.has(id) || gone.has(id);
}
