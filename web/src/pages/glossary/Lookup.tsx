// What DeepL and IATE say of a term. Nothing leaves the house before somebody asks for it;
// an address only fills the form.
import { useState } from "preact/hooks";
import { api } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { counted, moment } from "../../ui/format";
import { asError, useTitle } from "../../ui/hooks";
import { Card } from "../../ui/Small";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";
import { Around } from "./Around";
import { languageName } from "./model";

type Answers = Schemas["GlossaryLookupAnswers"];
type Asked = { source: string; term: string; from: string; to: string };

const sources = [
    { value: "deepl", text: "DeepL: a translation" },
    { value: "iate", text: "IATE: terms of the European Union" },
];
const names: Record<string, string> = { deepl: "DeepL", iate: "IATE" };
const switches: Record<string, string> = { deepl: "DEEPL_API_KEY", iate: "IATE_URL" };

export function lookupPath(term: { term: string; language: string }): string {
    return "/glossary/lookup?" + new URLSearchParams({ term: term.term, from: term.language }).toString();
}

/** Why there is no answer: switched off here, or a fault there. */
function Failed({ error, source }: { error: ApiError; source: string }) {
    if (error.code === "lookup_off")
        return (
            <Notice kind="warn">
                <p>
                    {names[source]} is switched off here: nothing was sent. Who operates the system switches it on with <code>{switches[source]}</code>.
                </p>
            </Notice>
        );
    if (error.code === "lookup_failed")
        return (
            <Notice kind="warn">
                <p>{names[source]} {error.status === 504 ? "did not answer in time" : "gave no answer that can be understood, or refused one"}. Try again later.</p>
            </Notice>
        );
    return <ErrorNotice error={error} />;
}

function Found({ answers, asked }: { answers: Answers; asked: Asked }) {
    const rows = answers.answers.map((one, i) => ({ i, ...one }));
    const when = answers.cached ? `as it was told on ${moment(answers.fetched_at)}` : "asked just now";
    return (
        <>
            <p role="status">
                {counted(rows.length, "answer")} of {names[answers.source] ?? answers.source} for “{asked.term}”, {when}.
            </p>
            {rows.length === 0 ? (
                <Empty icon="glossary" title="It knows no such term">
                    Another spelling or another language may be known.
                </Empty>
            ) : (
                <Table
                    caption="Answers"
                    rows={rows}
                    keyOf={(row) => row.i}
                    columns={[
                        { name: "term", title: "Term", show: (row) => <b class="break" lang={row.language}>{row.term}</b> },
                        { name: "language", title: "Language", show: (row) => languageName(row.language) },
                        { name: "definition", title: "Definition", show: (row) => <span class="break">{row.definition || "–"}</span> },
                        { name: "domain", title: "Domain", show: (row) => row.domain || "–" },
                        {
                            name: "acts",
                            title: "What can be done",
                            show: (row) => <a href={"/glossary/new?" + new URLSearchParams({ term: row.term, language: row.language }).toString()}>Write a draft</a>,
                        },
                    ]}
                />
            )}
        </>
    );
}

export function LookupPage({ query }: { query: URLSearchParams }) {
    useTitle("Look up · Glossary");
    const [form, setForm] = useState<Asked>({
        source: "deepl",
        term: query.get("term") ?? "",
        from: query.get("from") ?? "en",
        to: query.get("from") === "de" ? "en" : "de",
    });
    const [state, setState] = useState<{ asked: Asked; answers: Answers | null; error: ApiError | null } | null>(null);
    const set = (name: keyof Asked) => (event: { currentTarget: { value: string } }) => setForm({ ...form, [name]: event.currentTarget.value });
    const wrong = (field: string) => (state?.error?.field === field ? state.error.message : null);
    const waiting = state !== null && !state.answers && !state.error;
    const ask = async () => {
        const asked = { ...form, term: form.term.trim(), from: form.from.trim(), to: form.to.trim() };
        setState({ asked, answers: null, error: null });
        try {
            setState({ asked, answers: await api.post<Answers>("/api/glossary/lookup", asked), error: null });
        } catch (fault) {
            setState({ asked, answers: null, error: asError(fault) });
        }
    };
    return (
        <Around title="Look up" lead="What outside services say of a term. It is sent to them when you ask, unless their answer is known already.">
            <div class="stack">
                <Card>
                    <form
                        class="term-form"
                        aria-label="Look up"
                        onSubmit={(event) => {
                            event.preventDefault();
                            void ask();
                        }}
                    >
                        <TextField label="Term" required maxLength={512} value={form.term} error={wrong("term")} onInput={set("term")} />
                        <div class="term-form-row">
                            <SelectField label="Who is asked" choices={sources} value={form.source} onChange={set("source")} />
                            <TextField label="Its language" help="Such as en; DeepL finds it out without" required={form.source === "iate"} maxLength={16} value={form.from} error={wrong("from")} onInput={set("from")} />
                            <TextField label="Language of the answer" help="Such as de or fr" required minLength={2} maxLength={16} value={form.to} error={wrong("to")} onInput={set("to")} />
                        </div>
                        <div>
                            <Button kind="primary" icon="search" type="submit" busy={waiting}>
                                Look it up
                            </Button>
                        </div>
                    </form>
                </Card>
                <section aria-label="Answer" class="stack">
                    {waiting && <Loading what="Asking" lines={4} />}
                    {state?.error && !["term", "from", "to"].includes(state.error.field ?? "") && <Failed error={state.error} source={state.asked.source} />}
                    {state?.answers && <Found answers={state.answers} asked={state.asked} />}
                </section>
            </div>
        </Around>
    );
}
