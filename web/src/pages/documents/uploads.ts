// Files on their way to the server: two at a time, each with its own end. They go on
// while one looks at other pages of ours, so they are kept here and not in a page.
import { useEffect, useState } from "preact/hooks";
import { address, upload, wasAborted } from "../../api";
import type { Schemas } from "../../api";
import { asError } from "../../ui/hooks";
import { isBack } from "./deletion";

export interface Upload {
    id: number;
    file: File;
    said: Said;
    state: "waiting" | "sending" | "storing" | "stored" | "refused" | "cancelled";
    share: number; // of what is sent
    error: string;
    stored: Schemas["Stored"] | null;
    job: string | null;
    abort: AbortController;
}

/** What is said of all files of one choice. */
export interface Said {
    collection: string;
    clearance: string;
    department: string;
}

const AT_ONCE = 2;
let next = 1;
let all: Upload[] = [];
const listeners = new Set<() => void>();

function tell(): void {
    all = [...all];
    for (const listener of listeners) listener();
}

function isBatch(file: File): boolean {
    return /\.(ndjson|jsonl)$/i.test(file.name);
}

function formOf(one: Upload): FormData {
    const form = new FormData();
    const { collection, clearance, department } = one.said;
    if (collection) form.set("collection", collection);
    const metadata: Record<string, unknown> = {};
    if (clearance) metadata.clearance_level = Number(clearance);
    if (department) metadata.department = department;
    if (Object.keys(metadata).length > 0) form.set("metadata", JSON.stringify(metadata));
    form.set("file", one.file);
    return form;
}

async function send(one: Upload): Promise<void> {
    const progress = (share: number) => {
        one.share = share;
        if (share >= 1) one.state = "storing";
        tell();
    };
    try {
        if (isBatch(one.file)) {
            const body = new Blob([one.file], { type: "application/x-ndjson" });
            one.job = (await upload<{ job_id: string }>(address("/api/documents/batch", { file_name: one.file.name }), body, progress, one.abort.signal)).job_id;
        } else {
            one.stored = await upload<Schemas["Stored"]>("/api/documents", formOf(one), progress, one.abort.signal);
            isBack(one.stored.document_id);
        }
        one.state = "stored";
    } catch (fault) {
        one.state = wasAborted(fault) ? "cancelled" : "refused";
        one.error = wasAborted(fault) ? "" : asError(fault).message;
    }
    tell();
    begin();
}

function isUnderWay(one: Upload): boolean {
    return one.state === "sending" || one.state === "storing";
}

function isOpen(one: Upload): boolean {
    return one.state === "waiting" || isUnderWay(one);
}

function warn(event: BeforeUnloadEvent): void {
    event.preventDefault();
}

function begin(): void {
    let free = AT_ONCE - all.filter(isUnderWay).length;
    for (const one of all) {
        if (free <= 0) break;
        if (one.state !== "waiting") continue;
        free--;
        one.state = "sending";
        void send(one);
    }
    tell();
    // who leaves now would lose what is under way
    if (all.some(isUnderWay)) addEventListener("beforeunload", warn);
    else removeEventListener("beforeunload", warn);
}

/** What ended is replaced by the next file of its name: one row for each file. */
export function add(files: Iterable<File>, said: Said): void {
    const chosen = [...files];
    all = all.filter((one) => isOpen(one) || !chosen.some((file) => file.name === one.file.name));
    for (const file of chosen)
        all.push({ id: next++, file, said: { ...said }, state: "waiting", share: 0, error: "", stored: null, job: null, abort: new AbortController() });
    begin();
}

export function again(one: Upload): void {
    Object.assign(one, { state: "waiting", share: 0, error: "", abort: new AbortController() });
    begin();
}

export function cancel(one: Upload): void {
    if (one.state === "waiting") one.state = "cancelled";
    else one.abort.abort();
    tell();
}

/** Take those that have ended off the list. */
export function clear(): void {
    all = all.filter(isOpen);
    tell();
}

export function useUploads(): readonly Upload[] {
    const [list, setList] = useState<readonly Upload[]>(all);
    useEffect(() => {
        const listener = () => setList(all);
        listener();
        listeners.add(listener);
        return () => void listeners.delete(listener);
    }, []);
    return list;
}
