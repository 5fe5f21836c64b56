// A file with terms: sent, read as a job, and what became of each of its lines.
import { useRef, useState } from "preact/hooks";
import { address, upload, wasAborted } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { setQuery } from "../../router";
import { Button } from "../../ui/Button";
import { SelectField } from "../../ui/Field";
import { hasEnded } from "../../ui/follow";
import { bytes, count } from "../../ui/format";
import { asError, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Card, Progress } from "../../ui/Small";
import { ErrorNotice, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";
import { Around } from "./Around";
import { formats } from "./Export";
import { JobProgress, useJob } from "../../ui/Job";
import type { Job } from "../../ui/Job";

interface Result {
    rows?: number;
    created?: number;
    updated?: number;
    unchanged?: number;
    failed?: number;
    relations?: number;
    unrelated?: number;
    errors?: { item: string | number; code: string; error: string }[];
}

const endings: Record<string, string> = { csv: "csv", tsv: "csv", xlsx: "xlsx", json: "json", ndjson: "json", jsonl: "json", tbx: "tbx", rdf: "skos", skos: "skos" };

/** By the name's ending; null where that says nothing. */
export function formatOf(name: string): string | null {
    return endings[name.split(".").pop()?.toLowerCase() ?? ""] ?? null;
}

const why: Record<string, string> = {
    invalid_request: "Not a term as it should be",
    duplicate: "The same as an earlier line",
    conflict: "Another entry is there already",
    forbidden: "Your role does not allow it",
    status: "It may not have this status",
};

const numbers: [keyof Result, string][] = [
    ["rows", "lines"],
    ["created", "new terms"],
    ["updated", "changed"],
    ["unchanged", "as they were"],
    ["failed", "refused"],
    ["relations", "new relations"],
    ["unrelated", "relations without their term"],
];

function lineOf(item: string | number): number {
    return Number(/\d+/.exec(String(item))?.[0] ?? 0);
}

function titleOf(job: Job, result: Result): string {
    if (job.state === "cancelled") return "The import was cancelled";
    if (job.state === "failed") return "The import failed";
    return result.rows && result.rows === result.failed ? "Nothing of the file could be taken" : "The file is in the glossary";
}

function Outcome({ job }: { job: Job }) {
    const result = (job.result ?? {}) as Result;
    const errors = [...(result.errors ?? job.errors)].sort((a, b) => lineOf(a.item) - lineOf(b.item));
    return (
        <Card title={titleOf(job, result)}>
            {job.file_name && <p class="quiet break">{job.file_name}</p>}
            {job.error && (
                <Notice kind="warn">
                    <p>{job.error}</p>
                </Notice>
            )}
            <dl class="import-numbers">
                {numbers
                    .filter(([name]) => typeof result[name] === "number" && (name === "rows" || name === "created" || name === "failed" || result[name]))
                    .map(([name, text]) => (
                        <div key={name}>
                            <dt>{text}</dt>
                            <dd>{count(result[name] as number)}</dd>
                        </div>
                    ))}
            </dl>
            {errors.length > 0 && (
                <section class="import-errors" aria-label="Lines that were refused">
                    <h3>Lines that were refused{errors.length >= 100 ? " (the first 100)" : ""}</h3>
                    <Table
                        caption="Lines that were refused"
                        rows={errors}
                        keyOf={(one) => `${one.item} ${one.error}`}
                        columns={[
                            { name: "item", title: "Line", show: (one) => one.item },
                            { name: "code", title: "Why", show: (one) => why[one.code] ?? one.code },
                            { name: "error", title: "What is wrong", show: (one) => one.error },
                        ]}
                    />
                </section>
            )}
            <div class="row">
                <a class="button button-primary" href="/glossary?sort=-updated_at">
                    See the terms
                </a>
                <Button onClick={() => setQuery({ job: null })}>Import another file</Button>
            </div>
        </Card>
    );
}

function Chooser() {
    const [file, setFile] = useState<File | null>(null);
    const [format, setFormat] = useState("");
    const [share, setShare] = useState<number | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    const [over, setOver] = useState(false);
    const box = useRef<HTMLInputElement>(null);
    const abort = useRef<AbortController | null>(null);
    const chosen = format || (file ? formatOf(file.name) : null);

    const take = (one: File | undefined) => {
        if (!one) return;
        setError(null);
        setFormat("");
        setFile(one);
    };
    const send = async () => {
        if (!file || !chosen) return;
        const form = new FormData();
        form.append("file", file);
        abort.current = new AbortController();
        setShare(0);
        setError(null);
        try {
            const job = await upload<Schemas["GlossaryJob"]>(address("/api/glossary/import", { format: chosen }), form, setShare, abort.current.signal);
            setQuery({ job: job.job_id });
        } catch (fault) {
            if (!wasAborted(fault)) setError(asError(fault));
            setShare(null);
        }
    };
    return (
        <form
            class="card stack"
            aria-label="Import"
            onSubmit={(event) => {
                event.preventDefault();
                void send();
            }}
        >
            {error && <ErrorNotice error={error} />}
            <div
                class={over ? "drop drop-over" : "drop"}
                onDragOver={(event) => {
                    event.preventDefault();
                    setOver(true);
                }}
                onDragLeave={() => setOver(false)}
                onDrop={(event) => {
                    event.preventDefault();
                    setOver(false);
                    take(event.dataTransfer?.files[0]);
                }}
            >
                <Icon name="upload" size={28} />
                <label for="glossary-file">{file ? <b class="break">{`${file.name} · ${bytes(file.size)}`}</b> : "Drop a file here, or choose one"}</label>
                <input
                    ref={box}
                    id="glossary-file"
                    class="visually-hidden"
                    type="file"
                    accept=".csv,.tsv,.xlsx,.json,.ndjson,.jsonl,.tbx,.rdf,.skos,.xml"
                    onChange={(event) => take(event.currentTarget.files?.[0])}
                />
                <Button onClick={() => box.current?.click()}>Choose a file</Button>
            </div>
            <SelectField
                label="Format"
                value={chosen ?? ""}
                choices={[{ value: "", text: file ? "Say what it is" : "by the file's name" }, ...formats.map((one) => ({ value: one.value as string, text: `${one.text}: ${one.about}` }))]}
                help="A table's first row names its columns: term, definition, language, domain …"
                onChange={(event) => setFormat(event.currentTarget.value)}
            />
            {share !== null && (
                <div role="status">
                    <p>Sending the file…</p>
                    <Progress label="Sending the file" share={share} />
                </div>
            )}
            <div class="row">
                <Button type="submit" kind="primary" icon="upload" busy={share !== null} disabled={!file || !chosen}>
                    Import
                </Button>
                {share !== null && <Button onClick={() => abort.current?.abort()}>Cancel</Button>}
            </div>
        </form>
    );
}

export function ImportPage({ query }: { query: URLSearchParams }) {
    useTitle("Import · Glossary");
    const id = query.get("job");
    const { job, error } = useJob(id);
    return (
        <Around title="Import" lead="Terms from a file. What is there already is changed, the rest is new; a line that is wrong fails alone.">
            {error && <ErrorNotice error={error} />}
            {!id && <Chooser />}
            {id && !hasEnded(job) && !error && (
                <Card title="Reading the file">
                    <JobProgress job={job} what="Lines read:" />
                </Card>
            )}
            {id && job && hasEnded(job) && <Outcome job={job} />}
        </Around>
    );
}
