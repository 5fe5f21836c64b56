// What was found in documents: accepted as drafts, rejected, or taken back; one by one or
// several, with the mouse or by keys.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../api";
import type { Schemas } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { hasEnded } from "../../ui/follow";
import { counted } from "../../ui/format";
import { asError, useKeys, useLoad, useTitle } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Paging } from "../../ui/Table";
import { toast } from "../../ui/Toast";
import { Around } from "./Around";
import { Extract } from "./Extract";
import { JobProgress, useJob } from "../../ui/Job";
import { languageName, pageOf, termPath } from "./model";
import type { Candidate, CandidatePage, Context } from "./model";

type Verdict = "accept" | "reject" | "reopen";
const done: Record<Verdict, string> = { accept: "accepted", reject: "rejected", reopen: "open again" };
const PER_PAGE = 20;

function ContextLine({ context }: { context: Context }) {
    return (
        <li>
            <span class="break">
                …{context.before}
                <mark>{context.form}</mark>
                {context.after}…
            </span>{" "}
            <a class="small" href={"/documents/" + encodeURIComponent(context.document_id)}>
                {context.title || context.document_id}
            </a>
        </li>
    );
}

function Row(props: { one: Candidate; chosen: boolean; current: boolean; busy: boolean; status: string; onChoose: () => void; onFocus: () => void; judge: (verdict: Verdict) => void }) {
    const { one } = props;
    return (
        <li class={props.current ? "candidate candidate-current" : "candidate"} data-candidate={one.term}>
            <input type="checkbox" aria-label={`Choose ${one.term}`} checked={props.chosen} onChange={props.onChoose} onFocus={props.onFocus} />
            <div class="candidate-body">
                <div class="candidate-head">
                    <span class="term-name break" lang={one.language}>
                        {one.term}
                    </span>
                    <Badge kind="accent">{languageName(one.language)}</Badge>
                    <span class="quiet small">
                        {counted(one.frequency, "time")} in {counted(one.documents, "document")}
                    </span>
                </div>
                <ul class="candidate-contexts">
                    {one.contexts.slice(0, 3).map((context, i) => (
                        <ContextLine key={i} context={context} />
                    ))}
                </ul>
            </div>
            <div class="candidate-actions">
                {props.status === "open" && (
                    <>
                        <Button icon="check" disabled={props.busy} aria-label={`Accept ${one.term}`} onClick={() => props.judge("accept")}>
                            Accept
                        </Button>
                        <Button icon="close" disabled={props.busy} aria-label={`Reject ${one.term}`} onClick={() => props.judge("reject")}>
                            Reject
                        </Button>
                    </>
                )}
                {props.status === "rejected" && (
                    <Button icon="refresh" disabled={props.busy} aria-label={`Reopen ${one.term}`} onClick={() => props.judge("reopen")}>
                        Reopen
                    </Button>
                )}
                {props.status === "accepted" && one.term_id && (
                    <a class="button" href={termPath(one.term_id)} aria-label={`See the term ${one.term}`}>
                        See the term
                    </a>
                )}
            </div>
        </li>
    );
}

/** What is chosen, by its id; forgotten when another list is shown. */
function useChosen(key: string) {
    const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
    useEffect(() => setChosen(new Set()), [key]);
    const toggle = (id: string) =>
        setChosen((old) => {
            const next = new Set(old);
            if (!next.delete(id)) next.add(id);
            return next;
        });
    return { chosen, toggle, set: (ids: readonly string[]) => setChosen(new Set(ids)) };
}

function Filters({ query, status }: { query: URLSearchParams; status: string }) {
    const [typed, setTyped] = useState(query.get("q") ?? "");
    const [language, setLanguage] = useState(query.get("language") ?? "");
    return (
        <div class="glossary-filters" role="group" aria-label="Filters">
            <SelectField
                label="Show"
                value={status}
                choices={[
                    { value: "open", text: "to be judged" },
                    { value: "accepted", text: "accepted" },
                    { value: "rejected", text: "rejected" },
                ]}
                onChange={(event) => setQuery({ status: event.currentTarget.value === "open" ? null : event.currentTarget.value, page: null })}
            />
            <TextField label="With the text" type="search" data-search-box value={typed} maxLength={200} onInput={(event) => setTyped(event.currentTarget.value)} onChange={(event) => setQuery({ q: event.currentTarget.value.trim(), page: null })} />
            <TextField label="Language" value={language} maxLength={35} placeholder="all" onInput={(event) => setLanguage(event.currentTarget.value)} onChange={(event) => setQuery({ language: event.currentTarget.value.trim(), page: null })} />
            <SelectField
                label="Kind"
                value={query.get("kind") ?? ""}
                choices={[
                    { value: "", text: "words and phrases" },
                    { value: "word", text: "words" },
                    { value: "phrase", text: "phrases" },
                ]}
                onChange={(event) => setQuery({ kind: event.currentTarget.value, page: null })}
            />
            <SelectField
                label="Order"
                value={query.get("sort") ?? "score"}
                choices={[
                    { value: "score", text: "best first" },
                    { value: "frequency", text: "most frequent" },
                    { value: "documents", text: "in most documents" },
                    { value: "term", text: "A to Z" },
                ]}
                onChange={(event) => setQuery({ sort: event.currentTarget.value === "score" ? null : event.currentTarget.value, page: null })}
            />
        </div>
    );
}

export function Candidates({ query }: { query: URLSearchParams }) {
    useTitle("Found in documents · Glossary");
    const session = useSession();
    const status = query.get("status") ?? "open";
    const page = pageOf(query);
    const asked = { status, q: query.get("q"), language: query.get("language"), kind: query.get("kind"), sort: query.get("sort"), min_frequency: query.get("min_frequency"), job_id: query.get("job_id") };
    const { job, error: jobError } = useJob(query.get("job"));
    const key = JSON.stringify([asked, page, hasEnded(job)]);
    const { data, error, loading, again } = useLoad(key, (signal) => api.get<CandidatePage>("/api/glossary/candidates", { query: { ...asked, page, per_page: PER_PAGE }, signal }));
    const { chosen, toggle, set } = useChosen(key);
    const [current, setCurrent] = useState(0);
    const [busy, setBusy] = useState(false);
    const [extracting, setExtracting] = useState(false);
    const list = useRef<HTMLUListElement>(null);
    const goOn = useRef(false); // what was judged had the focus: the next one gets it
    const rows = data?.candidates ?? [];

    const judge = async (verdict: Verdict, ids: readonly string[], named: string) => {
        if (ids.length === 0 || busy) return;
        goOn.current = list.current?.contains(document.activeElement) ?? false;
        setBusy(true);
        try {
            const { results } = await api.post<Schemas["GlossaryVerdicts"]>(`/api/glossary/candidates/${verdict}`, { ids });
            const failed = results.filter((one) => one.outcome === "conflict" || one.outcome === "not_found").length;
            const judged = results.length - failed;
            const text = `${judged === 1 ? named : counted(judged, "candidate")} ${judged === 1 ? "is" : "are"} ${done[verdict]}.` + (failed > 0 ? ` ${counted(failed, "candidate")} had been judged otherwise meanwhile.` : "");
            toast({
                text: judged === 0 ? "Somebody else was faster: nothing was changed." : text,
                kind: judged === 0 ? "danger" : "ok",
                ...(verdict === "reject" && judged > 0 ? { action: { label: "Undo", run: () => void judge("reopen", ids, named) } } : {}),
            });
            set([]);
            again();
        } catch (fault) {
            goOn.current = false;
            toast({ text: asError(fault).message, kind: "danger" });
        } finally {
            setBusy(false);
        }
    };
    const at = Math.min(current, rows.length - 1);
    /** What is chosen, or else the one that the keys are at. */
    const meant = (): readonly string[] => (chosen.size > 0 ? [...chosen] : rows[at] ? [rows[at].id] : []);
    const nameOf = (ids: readonly string[]) => `“${rows.find((one) => one.id === ids[0])?.term ?? ""}”`;
    const judgeMeant = (verdict: Verdict, when: string) => {
        const ids = meant();
        if (status === when) void judge(verdict, ids, nameOf(ids));
    };
    const step = (to: number) => {
        const next = Math.max(0, Math.min(rows.length - 1, to));
        setCurrent(next);
        list.current?.children[next]?.querySelector<HTMLElement>("input")?.focus();
        list.current?.children[next]?.scrollIntoView({ block: "nearest" });
    };
    useEffect(() => {
        if (!goOn.current || loading) return;
        goOn.current = false;
        if (rows.length > 0) step(at);
        else document.querySelector<HTMLElement>("main h1")?.focus();
    }, [data, loading]);
    const keys: Record<string, () => void> = {
        j: () => step(list.current?.contains(document.activeElement) ? at + 1 : 0),
        k: () => step(at - 1),
        x: () => rows[at] && toggle(rows[at].id),
        a: () => judgeMeant("accept", "open"),
        r: () => judgeMeant("reject", "open"),
        u: () => judgeMeant("reopen", "rejected"), // "o" belongs to the frame
    };
    useKeys(keys);
    // a checkbox takes no text: its keys are the list's
    const onListKey = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLInputElement)) return;
        const what = keys[event.key];
        if (!what) return;
        event.preventDefault();
        what();
    };
    const all = rows.length > 0 && rows.every((one) => chosen.has(one.id));
    const ids = [...chosen];

    return (
        <Around
            title="Found in documents"
            lead="Words and phrases that documents use often. What is accepted becomes a draft; what is rejected is not proposed again."
            actions={
                session.may("read_documents") && (
                    <Button kind="primary" icon="search" onClick={() => setExtracting(true)}>
                        Look through documents
                    </Button>
                )
            }
        >
            {jobError && <ErrorNotice error={jobError} />}
            {query.get("job") && !jobError && !hasEnded(job) && <JobProgress job={job} what="Documents read:" />}
            {job && hasEnded(job) && (
                <Notice kind={job.state === "done" ? "ok" : "warn"}>
                    <p>
                        {job.state === "done"
                            ? `${counted(Number((job.result as { documents?: number })?.documents ?? job.done), "document")} looked through; ${counted(Number((job.result as { candidates?: number })?.candidates ?? 0), "candidate")} found.`
                            : (job.error ?? `The search for terms was ${job.state}.`)}
                    </p>
                </Notice>
            )}
            <Filters key={query.get("q") + "|" + query.get("language")} query={query} status={status} />
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the candidates" lines={16} />}
            {data && rows.length === 0 && !error && (
                <Empty icon="glossary" title={status === "open" ? "There is nothing to judge" : `Nothing was ${status}`}>
                    {status === "open" && "Let documents be looked through to find more."}
                </Empty>
            )}
            {rows.length > 0 && data && (
                <>
                    <div class="candidate-bar">
                        <label class="row">
                            <input type="checkbox" checked={all} onChange={() => set(all ? [] : rows.map((one) => one.id))} />
                            {chosen.size > 0 ? `${counted(chosen.size, "candidate")} chosen` : `All ${rows.length} of this page`}
                        </label>
                        {status === "open" && (
                            <>
                                <Button icon="check" disabled={ids.length === 0 || busy} onClick={() => void judge("accept", ids, nameOf(ids))}>
                                    Accept chosen
                                </Button>
                                <Button icon="close" disabled={ids.length === 0 || busy} onClick={() => void judge("reject", ids, nameOf(ids))}>
                                    Reject chosen
                                </Button>
                            </>
                        )}
                        {status === "rejected" && (
                            <Button icon="refresh" disabled={ids.length === 0 || busy} onClick={() => void judge("reopen", ids, nameOf(ids))}>
                                Reopen chosen
                            </Button>
                        )}
                        <p class="candidate-keys small quiet">
                            <kbd>j</kbd> <kbd>k</kbd> go, <kbd>x</kbd> chooses, {status === "rejected" ? <><kbd>u</kbd> reopens</> : <><kbd>a</kbd> accepts, <kbd>r</kbd> rejects</>}
                        </p>
                    </div>
                    <p class="visually-hidden" role="status">
                        {counted(data.pagination.total_count, "candidate")}
                    </p>
                    <ul ref={list} class="candidate-list" aria-busy={loading || busy ? "true" : undefined} onKeyDown={onListKey}>
                        {rows.map((one, i) => (
                            <Row
                                key={one.id}
                                one={one}
                                status={status}
                                busy={busy}
                                chosen={chosen.has(one.id)}
                                current={i === at}
                                onFocus={() => setCurrent(i)}
                                onChoose={() => toggle(one.id)}
                                judge={(verdict) => void judge(verdict, [one.id], `“${one.term}”`)}
                            />
                        ))}
                    </ul>
                    <Paging
                        page={data.pagination.page}
                        pages={data.pagination.total_pages}
                        total={data.pagination.total_count}
                        onPage={(to) => {
                            setQuery({ page: to === 1 ? null : to });
                            scrollTo(0, 0);
                        }}
                    />
                </>
            )}
            {extracting && <Extract onClose={() => setExtracting(false)} />}
        </Around>
    );
}
