// Deleting can be taken back. For a few seconds nothing has been asked of the server: who
// closes the page before has deleted nothing. After that a copy is kept here until the tab
// closes, and Undo stores it again.
import { useEffect, useState } from "preact/hooks";
import { api, segment } from "../../api";
import { asError } from "../../ui/hooks";
import { toast } from "../../ui/Toast";
import { copyOf, storeAgain } from "./copies";
import type { Copy } from "./copies";
import { titleOf } from "./model";

const SECONDS = 8;
const MOST = 20; // copies that are kept
const MOST_BYTES = 64_000_000; // of their originals

/** What is on its way out, or gone. */
export interface Deleted {
    id: string;
    title: string;
    at: number; // Unix seconds
    state: "waiting" | "leaving" | "gone" | "returning";
    copy: Copy | null;
}

const all = new Map<string, Deleted>(); // in the order of their deletion
const timers = new Map<string, { timer: number; close: () => void }>();
const listeners = new Set<() => void>();
let round = 0; // of what the server has done
let owner = "";

function tell(): void {
    for (const listener of listeners) listener();
}

async function copyOrNone(id: string): Promise<Copy | null> {
    try {
        return await copyOf(id);
    } catch {
        return null; // it is deleted nonetheless, for good
    }
}

function stopWaiting(id: string): void {
    const one = timers.get(id);
    if (!one) return;
    clearTimeout(one.timer);
    one.close();
    timers.delete(id);
}

/** The oldest copies go first. */
function bound(): void {
    let kept = 0;
    let bytes = 0;
    for (const one of [...all.values()].reverse()) {
        if (!one.copy) continue;
        bytes += one.copy.file?.size ?? 0;
        if (++kept > MOST || bytes > MOST_BYTES) one.copy = null;
    }
}

async function finish(one: Deleted): Promise<void> {
    stopWaiting(one.id);
    one.state = "leaving";
    tell();
    const whose = owner;
    const copy = await copyOrNone(one.id);
    try {
        await api.del("/api/documents/" + segment(one.id));
        if (whose === owner) one.copy = copy;
    } catch (fault) {
        const error = asError(fault);
        if (error.status !== 404) {
            all.delete(one.id);
            toast({ kind: "danger", seconds: 0, text: `“${one.title}” was not deleted. ${error.message}` });
        }
    }
    one.state = "gone";
    bound();
    round++;
    tell();
}

function keep(id: string): void {
    if (!timers.has(id)) return;
    stopWaiting(id);
    all.delete(id);
    tell();
}

export function deleteLater(document: { title: string; document_id: string }): void {
    const id = document.document_id;
    const before = all.get(id);
    if (before && before.state !== "gone") return;
    const one: Deleted = { id, title: titleOf(document), at: Date.now() / 1000, state: "waiting", copy: null };
    all.delete(id); // the newest is the last
    all.set(id, one);
    const close = toast({ text: `“${one.title}” is deleted`, seconds: SECONDS, action: { label: "Undo", run: () => keep(id) } });
    timers.set(id, { timer: window.setTimeout(() => void finish(one), SECONDS * 1000), close });
    tell();
}

export function canUndo(one: Deleted | undefined): boolean {
    return one !== undefined && (one.state === "waiting" || (one.state === "gone" && one.copy !== null));
}

export async function undo(id: string): Promise<void> {
    const one = all.get(id);
    if (one?.state === "waiting") keep(id);
    if (!one?.copy || one.state !== "gone") return;
    one.state = "returning";
    tell();
    try {
        await storeAgain(one.copy);
        all.delete(id);
        round++;
        const lost = one.copy.lacksFile ? " Its original file was too large to be kept." : "";
        toast({ text: `“${one.title}” is back.${lost}` });
    } catch (fault) {
        one.state = "gone";
        toast({ kind: "danger", seconds: 0, text: `“${one.title}” is not back. ${asError(fault).message}` });
    }
    tell();
}

/** It was stored again under its id. */
export function isBack(id: string): void {
    stopWaiting(id);
    all.delete(id);
    tell();
}

/** Whose deletions they are: the next one at this tab sees none of them. */
export function deletionsOf(user: string): void {
    if (user === owner) return;
    owner = user;
    for (const id of timers.keys()) stopWaiting(id);
    all.clear();
}

/** What is deleted; the caller is drawn anew when that changes. `round` changes with what
 * the server has. */
export function useDeletions(): { find: (id: string) => Deleted | undefined; lately: Deleted[]; round: number } {
    const [, setRound] = useState(0);
    useEffect(() => {
        const listener = () => setRound((n) => n + 1);
        listeners.add(listener);
        return () => void listeners.delete(listener);
    }, []);
    const lately = [...all.values()].filter((one) => one.state !== "gone" || one.copy).reverse();
    return { find: (id) => all.get(id), lately, round };
}
