// Where files are dropped or chosen, and what becomes of each.
import { useEffect, useRef, useState } from "preact/hooks";
import { useLoad } from "../../ui/hooks";
import { Button, IconButton } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { bytes, counted } from "../../ui/format";
import { Icon } from "../../ui/Icon";
import { Badge, Progress } from "../../ui/Small";
import { useDeletions } from "./deletion";
import { clearances, readers } from "./rules";
import { collections, documentPath } from "./model";
import type { Collection } from "./model";
import { add, again, cancel, clear, useUploads } from "./uploads";
import type { Said, Upload } from "./uploads";

const TYPES = ".pdf,.docx,.txt,.text,.md,.markdown,.html,.htm,.xhtml,.csv,.tsv,.ndjson,.jsonl";

function Become({ one }: { one: Upload }) {
    const deletions = useDeletions();
    if (one.state === "waiting") return <span class="quiet">Waits for its turn</span>;
    if (one.state === "cancelled") return <span class="quiet">Given up</span>;
    if (one.state === "refused")
        return (
            <span class="upload-error" role="alert">
                {one.error}
            </span>
        );
    if (one.state === "stored" && one.job) return <a href="/documents?tab=jobs">Taken: a job stores its documents</a>;
    if (one.stored && deletions.find(one.stored.document_id)) return <Badge>Deleted since</Badge>;
    if (one.state === "stored" && one.stored)
        return (
            <span>
                <Badge kind="ok">{one.stored.unchanged ? "Was there already" : "Stored"}</Badge>{" "}
                <a href={documentPath(one.stored.document_id)}>
                    Open<span class="visually-hidden"> {one.file.name}</span>
                </a>{" "}
                <span class="quiet small">{counted(one.stored.chunks, "passage")}</span>
            </span>
        );
    return (
        <span class="upload-progress">
            <Progress label={`Sending ${one.file.name}`} share={one.state === "storing" ? null : one.share} />
            <span class="small quiet">{one.state === "storing" ? "Reading and storing" : `${Math.round(one.share * 100)} %`}</span>
        </span>
    );
}

function Row({ one }: { one: Upload }) {
    const open = one.state === "waiting" || one.state === "sending" || one.state === "storing";
    return (
        <li class={`upload upload-${one.state}`}>
            <span class="upload-name break">
                {one.file.name} <span class="quiet small">{bytes(one.file.size)}</span>
            </span>
            <Become one={one} />
            {open && <IconButton icon="close" label={`Give up ${one.file.name}`} onClick={() => cancel(one)} />}
            {(one.state === "refused" || one.state === "cancelled") && (
                <IconButton icon="refresh" label={`Try ${one.file.name} again`} onClick={() => again(one)} />
            )}
        </li>
    );
}

const USUAL = "default"; // where files go of which nothing is said
const NEW = "\n"; // no collection has this name

function clearanceOf(one: Collection | undefined): string {
    return String(one?.clearance_level ?? 1);
}

/** What becomes of the next file, before it is chosen. */
function Destination({ said, of }: { said: Said; of: Collection | undefined }) {
    const clearance = said.clearance || clearanceOf(of);
    const department = said.department || of?.department;
    return (
        <p class="small" role="note">
            New files go to the collection <b class="break">{said.collection || USUAL}</b>, readable by <b>{readers(clearance)}</b>
            {department ? `; department ${department}` : ""}. An NDJSON file says it of each document itself.
        </p>
    );
}

function CollectionField({ known, value, onChange }: { known: readonly Collection[]; value: string; onChange: (name: string) => void }) {
    const names = new Set([USUAL, ...known.map((one) => one.name)]);
    const [own, setOwn] = useState(false);
    const isNew = own || (value !== "" && !names.has(value));
    return (
        <>
            <SelectField
                label="Collection"
                value={isNew ? NEW : value || USUAL}
                choices={[...[...names].map((name) => ({ value: name, text: name })), { value: NEW, text: "A new one…" }]}
                onChange={(event) => {
                    const name = event.currentTarget.value;
                    setOwn(name === NEW);
                    onChange(name === NEW || name === USUAL ? "" : name);
                }}
            />
            {isNew && <TextField label="Name of the new collection" value={value} maxLength={128} onInput={(event) => onChange(event.currentTarget.value.trim())} />}
        </>
    );
}

/** The whole page takes what is dropped, so that nothing opens in place of it. */
function useDrop(onFiles: (files: File[]) => void): boolean {
    const [over, setOver] = useState(false);
    const latest = useRef(onFiles);
    latest.current = onFiles;
    useEffect(() => {
        const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
        const onOver = (event: DragEvent) => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            setOver(true);
        };
        const onLeave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
        const onDrop = (event: DragEvent) => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            setOver(false);
            latest.current([...(event.dataTransfer?.files ?? [])]);
        };
        document.addEventListener("dragover", onOver);
        document.addEventListener("dragleave", onLeave);
        document.addEventListener("drop", onDrop);
        return () => {
            document.removeEventListener("dragover", onOver);
            document.removeEventListener("dragleave", onLeave);
            document.removeEventListener("drop", onDrop);
        };
    }, []);
    return over;
}

export function UploadCard({ collection, onStored, round }: { collection: string; onStored: () => void; round: string }) {
    const [said, setSaid] = useState<Said>({ collection, clearance: "", department: "" });
    const uploads = useUploads();
    const input = useRef<HTMLInputElement>(null);
    const known = useLoad("collections " + round, collections);
    const chosen = known.data?.find((one) => one.name === (said.collection || USUAL));
    const over = useDrop((files) => add(files, said));
    const stored = uploads.filter((one) => one.state === "stored").length;
    const before = useRef(stored);
    useEffect(() => {
        if (stored > before.current) onStored();
        before.current = stored;
    }, [stored]);
    useEffect(() => setSaid((old) => ({ ...old, collection })), [collection]);
    const set = (name: keyof Said) => (event: { currentTarget: { value: string } }) => setSaid({ ...said, [name]: event.currentTarget.value.trim() });
    return (
        <section class="card upload-card" aria-label="Add files">
            <div class={over ? "drop drop-over" : "drop"}>
                <Icon name="upload" size={28} />
                <p>
                    <b>{over ? "Let go to add them" : "Drop files here"}</b>
                    <span class="quiet small drop-types">PDF, Word, text, Markdown, HTML, CSV; NDJSON for many documents at once</span>
                </p>
                <Button kind="primary" onClick={() => input.current?.click()}>
                    Choose files
                </Button>
                <input
                    ref={input}
                    type="file"
                    multiple
                    accept={TYPES}
                    class="visually-hidden"
                    tabIndex={-1}
                    aria-label="Files to add"
                    onChange={(event) => {
                        add([...(event.currentTarget.files ?? [])], said);
                        event.currentTarget.value = "";
                    }}
                />
            </div>
            <Destination said={said} of={chosen} />
            <details class="upload-said">
                <summary>Change the collection and who may read them</summary>
                <div class="form-grid">
                    <CollectionField known={known.data ?? []} value={said.collection} onChange={(name) => setSaid({ ...said, collection: name })} />
                    <SelectField
                        label="Clearance"
                        value={said.clearance}
                        onChange={set("clearance")}
                        choices={[{ value: "", text: `As the collection: ${readers(clearanceOf(chosen))}` }, ...clearances]}
                    />
                    <TextField label="Department" value={said.department} maxLength={256} onInput={set("department")} />
                </div>
            </details>
            {uploads.length > 0 && (
                <>
                    <ul class="uploads" aria-label="Files">
                        {uploads.map((one) => (
                            <Row key={one.id} one={one} />
                        ))}
                    </ul>
                    <p class="visually-hidden" role="status">
                        {stored} of {counted(uploads.length, "file")} stored
                    </p>
                    <div class="row">
                        <Button kind="quiet" onClick={clear}>
                            Clear this list
                        </Button>
                    </div>
                </>
            )}
        </section>
    );
}
