// A new term, and another content for one that is there.
import { useState } from "preact/hooks";
import { api, ApiError } from "../../api";
import { go } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { SelectField, TextArea, TextField } from "../../ui/Field";
import { asError, useLoad, useTitle } from "../../ui/hooks";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { toast } from "../../ui/Toast";
import { clearances } from "../documents/rules";
import { Around } from "./Around";
import { bodyOf, mayWrite, termPath, termUrl, wordsOf } from "./model";
import type { Term } from "./model";

interface Draft {
    term: string;
    definition: string;
    language: string;
    domain: string;
    part_of_speech: string;
    source: string;
    sense: string;
    department: string;
    clearance_level: number;
    acronym: string;
    synonyms: string; // one a line
}

function draftOf(term: Partial<Term>): Draft {
    const metadata = term.metadata ?? {};
    return {
        term: term.term ?? "",
        definition: term.definition ?? "",
        language: term.language ?? "en",
        domain: term.domain ?? "",
        part_of_speech: term.part_of_speech ?? "",
        source: term.source ?? "",
        sense: term.sense ?? "",
        department: term.department ?? "",
        clearance_level: term.clearance_level ?? 1,
        acronym: wordsOf(metadata.acronym)[0] ?? "",
        synonyms: wordsOf(metadata.synonyms).join("\n"),
    };
}

function metadataOf(draft: Draft, before: Record<string, unknown>): Record<string, unknown> {
    const { acronym: _a, synonyms: _s, ...rest } = before;
    const synonyms = draft.synonyms.split("\n").map((one) => one.trim()).filter(Boolean);
    const acronym = draft.acronym.trim();
    return { ...rest, ...(acronym ? { acronym } : {}), ...(synonyms.length > 0 ? { synonyms } : {}) };
}

const shown = new Set(["term", "definition", "language", "domain", "part_of_speech", "source", "sense", "department", "clearance_level"]);

/** What the page can tell before it asks. */
function wrongOf(draft: Draft): Record<string, string> {
    const wrong: Record<string, string> = {};
    if (!draft.term.trim()) wrong.term = "Say what the term is.";
    if (!/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(draft.language.trim())) wrong.language = "A language is two or three letters: en, de, pt-BR.";
    if (draft.clearance_level > 2 && !draft.department.trim()) wrong.department = "Above level 2 a term belongs to a department.";
    return wrong;
}

function Fields({ before, cancel, save }: { before: Partial<Term>; cancel: string; save: (draft: Draft) => Promise<void> }) {
    const session = useSession();
    const [draft, setDraft] = useState(() => draftOf(before));
    const [wrong, setWrong] = useState<Record<string, string>>({});
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const field = (name: Exclude<keyof Draft, "clearance_level">) => ({
        name,
        value: draft[name],
        error: wrong[name] ?? null,
        onInput: (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => {
            const { value } = event.currentTarget;
            setDraft((old) => ({ ...old, [name]: value }));
        },
    });
    const refuse = (form: HTMLFormElement, why: Record<string, string>) => {
        setWrong(why);
        const first = Object.keys(why)[0];
        form.querySelector<HTMLElement>(`[name="${first}"]`)?.focus();
    };
    const submit = async (form: HTMLFormElement) => {
        setError(null);
        const found = wrongOf(draft);
        refuse(form, found);
        if (Object.keys(found).length > 0) return;
        setBusy(true);
        try {
            await save(draft);
        } catch (fault) {
            const failed = asError(fault);
            if (failed.code === "duplicate_term") refuse(form, { term: "This term is there already, in this language and domain. Another sense tells the two apart." });
            else if (failed.field && shown.has(failed.field) && failed.status === 400) refuse(form, { [failed.field]: failed.message });
            else setError(failed);
        } finally {
            setBusy(false);
        }
    };
    const levels = Math.max(session.me?.clearance ?? 1, draft.clearance_level);
    return (
        <form
            class="card term-form"
            noValidate
            onSubmit={(event) => {
                event.preventDefault();
                void submit(event.currentTarget);
            }}
        >
            {error && <ErrorNotice error={error} />}
            <TextField label="Term" {...field("term")} maxLength={512} required autocomplete="off" />
            <TextArea label="Definition" {...field("definition")} rows={5} help="What it means, in a sentence or two." />
            <div class="term-form-row">
                <TextField label="Language" {...field("language")} maxLength={35} help="en, de, fr …" required />
                <TextField label="Domain" {...field("domain")} maxLength={200} help="The field that it belongs to." />
                <TextField label="Part of speech" {...field("part_of_speech")} maxLength={60} help="noun, verb …" />
            </div>
            <div class="term-form-row">
                <TextArea label="Also called" {...field("synonyms")} rows={3} help="One a line. Searches find them, too." />
                <TextField label="Abbreviation" {...field("acronym")} maxLength={200} />
            </div>
            <div class="term-form-row">
                <TextField label="Source" {...field("source")} maxLength={500} help="Where the definition is from." />
                <TextField label="Sense" {...field("sense")} maxLength={200} help="Tells terms apart that are written alike." />
            </div>
            <div class="term-form-row">
                <SelectField
                    label="Clearance"
                    name="clearance_level"
                    value={String(draft.clearance_level)}
                    choices={clearances.slice(0, levels)}
                    error={wrong.clearance_level ?? null}
                    onChange={(event) => {
                        const level = Number(event.currentTarget.value);
                        setDraft((old) => ({ ...old, clearance_level: level }));
                    }}
                />
                <TextField label="Department" {...field("department")} maxLength={200} help="Whose it is, above level 2." />
            </div>
            <div class="row">
                <Button type="submit" kind="primary" busy={busy}>
                    Save
                </Button>
                <a class="button" href={cancel}>
                    Cancel
                </a>
            </div>
        </form>
    );
}

function written(draft: Draft, before: Partial<Term>): Record<string, unknown> {
    const { acronym: _a, synonyms: _s, ...own } = draft;
    const trimmed = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]));
    return bodyOf({ ...before, ...trimmed, metadata: metadataOf(draft, before.metadata ?? {}) } as Term);
}

export function NewTerm({ query }: { query: URLSearchParams }) {
    useTitle("New term · Glossary");
    return (
        <Around title="New term" lead="It is stored as a draft. It counts as valid once somebody who may validate terms has agreed to it.">
            <Fields
                before={{ term: query.get("term") ?? "", ...(query.get("language") ? { language: query.get("language")! } : {}) }}
                cancel="/glossary"
                save={async (draft) => {
                    const stored = await api.post<Term>("/api/glossary", written(draft, {}));
                    toast({ text: `“${stored.term}” is in the glossary.` });
                    go(termPath(stored.id), { replace: true });
                }}
            />
        </Around>
    );
}

export function EditTerm({ id }: { id: string }) {
    const { data, error, again } = useLoad(id, (signal) => api.get<Term>(termUrl(id), { signal }));
    const session = useSession();
    useTitle(`Edit ${data?.term ?? "a term"} · Glossary`);
    return (
        <Around title={data ? `Edit “${data.term}”` : "Edit a term"}>
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the term" lines={8} />}
            {data && !mayWrite(data, session.may) && (
                <Notice kind="warn">
                    <p>This term is {data.status}: your role may change drafts only.</p>
                    <a href={termPath(id)}>Back to the term</a>
                </Notice>
            )}
            {data && mayWrite(data, session.may) && (
                <Fields
                    before={data}
                    cancel={termPath(id)}
                    save={async (draft) => {
                        await api.put<Term>(termUrl(id), written(draft, data));
                        toast({ text: "Saved." });
                        go(termPath(id), { replace: true });
                    }}
                />
            )}
        </Around>
    );
}
