// The terms: from A to Z, filtered, or searched by words and by meaning.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { counted } from "../../ui/format";
import { useKeys, useLoad, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Paging } from "../../ui/Table";
import { Highlight } from "../search/highlight";
import { Around, StatusBadge } from "./Around";
import { Export } from "./Export";
import { Letters } from "./Letters";
import { languageName, pageOf, statuses, termPath } from "./model";
import type { Term, TermPage } from "./model";

const PER_PAGE = 20;
const missing: Record<string, string> = {
    embedding: "The part that knows meanings is away: only words were looked at.",
    vectors: "Some entries have not been read for their meaning yet and may be missing.",
};

/** A text that goes into the address when it is finished. */
function FilterText({ label, name, value, known }: { label: string; name: string; value: string; known: readonly string[] }) {
    const [typed, setTyped] = useState(value);
    useEffect(() => setTyped(value), [value]);
    const id = "known-" + name;
    return (
        <>
            <TextField
                label={label}
                value={typed}
                list={id}
                maxLength={100}
                placeholder="all"
                onInput={(event) => setTyped(event.currentTarget.value)}
                onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim(), page: null, letter: null })}
            />
            <datalist id={id}>
                {known.map((one) => (
                    <option key={one} value={one} />
                ))}
            </datalist>
        </>
    );
}

function SearchBox({ q, mode }: { q: string; mode: string }) {
    const [typed, setTyped] = useState(q);
    useEffect(() => setTyped(q), [q]);
    return (
        <form
            class="glossary-search"
            role="search"
            aria-label="The glossary"
            onSubmit={(event) => {
                event.preventDefault();
                setQuery({ q: typed.trim(), page: null, letter: null, sort: null });
            }}
        >
            <div class="glossary-box">
                <Icon name="search" size={18} />
                <input
                    class="input"
                    type="search"
                    data-search-box
                    aria-label="Search the glossary"
                    placeholder="A term, or what it means"
                    maxLength={500}
                    value={typed}
                    onInput={(event) => setTyped(event.currentTarget.value)}
                />
            </div>
            <SelectField
                label="Search by"
                hideLabel
                value={mode}
                choices={[
                    { value: "text", text: "Words" },
                    { value: "semantic", text: "Meaning" },
                    { value: "hybrid", text: "Both" },
                ]}
                onChange={(event) => setQuery({ mode: event.currentTarget.value === "text" ? null : event.currentTarget.value, page: null })}
            />
            <Button type="submit" kind="primary">
                Search
            </Button>
        </form>
    );
}

function Row({ term, at, first }: { term: Term; at: number; first: boolean }) {
    return (
        <li class={first ? "term-row term-row-first" : "term-row"}>
            <div class="term-row-head">
                <a class="term-name break" href={termPath(term.id)} data-term={at} lang={term.language}>
                    {term.term}
                </a>
                {term.sense && <span class="quiet small break">{term.sense}</span>}
                <span class="term-row-marks">
                    {term.domain && <Badge>{term.domain}</Badge>}
                    <Badge kind="accent">{languageName(term.language)}</Badge>
                    <StatusBadge status={term.status} />
                </span>
            </div>
            <p class="term-row-text break" lang={term.language}>
                {term.highlight ? (
                    <Highlight text={term.highlight.replaceAll("<mark>", "<em>").replaceAll("</mark>", "</em>")} />
                ) : (
                    term.definition || <span class="quiet">No definition yet</span>
                )}
            </p>
        </li>
    );
}

function different(values: readonly (string | null | undefined)[]): string[] {
    return [...new Set(values.filter((one): one is string => !!one))].sort();
}

export function Browse({ query }: { query: URLSearchParams }) {
    useTitle("Glossary");
    const session = useSession();
    const [exporting, setExporting] = useState(false);
    const list = useRef<HTMLUListElement>(null);
    const text = (name: string) => query.get(name) ?? "";
    const [q, mode, letter] = [text("q"), text("mode") || "text", text("letter")];
    const filters = { language: text("language"), domain: text("domain"), status: text("status") };
    const sort = text("sort") || "term";
    const page = pageOf(query);
    const asked = { ...filters, per_page: PER_PAGE };
    const { data, error, loading, again } = useLoad(JSON.stringify([q, mode, filters, sort, page]), (signal) =>
        api.get<TermPage>("/api/glossary", { query: { ...asked, ...(q ? { q, mode } : { sort }), page }, signal }),
    );
    // what the lists of languages and domains propose: those of the entries changed last
    const known = useLoad("known", (signal) => api.get<TermPage>("/api/glossary", { query: { sort: "-updated_at", per_page: 500 }, signal }));
    const filtered = Object.values(filters).some(Boolean);

    const step = (by: number) => {
        const links = [...(list.current?.querySelectorAll<HTMLElement>("[data-term]") ?? [])];
        const at = links.indexOf(document.activeElement as HTMLElement);
        links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
    };
    useKeys({ j: () => step(1), k: () => step(-1) });

    const entries = data?.entries ?? [];
    const firstOf = letter && !q && sort === "term" ? entries.findIndex((one) => one.term.toLowerCase().startsWith(letter)) : -1;
    useEffect(() => {
        if (firstOf > 0) list.current?.children[firstOf]?.scrollIntoView({ block: "start" });
    }, [firstOf, letter, data]);

    const total = data?.pagination.total_count ?? 0;
    const nothing = data && entries.length === 0 && !error;
    return (
        <Around
            title="Glossary"
            lead="What words mean here, what else they are called, and what they are in other languages."
            actions={
                <>
                    <Button icon="download" onClick={() => setExporting(true)}>
                        Export
                    </Button>
                    {session.may("write_glossary") && (
                        <a class="button button-primary" href="/glossary/new">
                            <Icon name="plus" size={18} />
                            New term
                        </a>
                    )}
                </>
            }
        >
            <SearchBox q={q} mode={mode} />
            <div class="glossary-filters" role="group" aria-label="Filters">
                <FilterText label="Language" name="language" value={filters.language} known={different((known.data?.entries ?? []).map((one) => one.language))} />
                <FilterText label="Domain" name="domain" value={filters.domain} known={different((known.data?.entries ?? []).map((one) => one.domain))} />
                <SelectField
                    label="Status"
                    value={filters.status}
                    choices={[{ value: "", text: "all" }, ...statuses.map((one) => ({ value: one as string, text: one as string }))]}
                    onChange={(event) => setQuery({ status: event.currentTarget.value, page: null, letter: null })}
                />
                <SelectField
                    label="Order"
                    value={q ? "relevance" : sort}
                    disabled={q !== ""}
                    choices={
                        q
                            ? [{ value: "relevance", text: "best first" }]
                            : [
                                  { value: "term", text: "A to Z" },
                                  { value: "-term", text: "Z to A" },
                                  { value: "-updated_at", text: "changed last" },
                                  { value: "updated_at", text: "changed first" },
                              ]
                    }
                    onChange={(event) => setQuery({ sort: event.currentTarget.value === "term" ? null : event.currentTarget.value, page: null, letter: null })}
                />
            </div>
            {!q && <Letters asked={asked} pages={data?.pagination.total_pages ?? 1} chosen={sort === "term" ? letter : ""} />}
            {data?.degraded?.map((one) => (
                <Notice key={one} kind="warn">
                    <p>{missing[one] ?? one}</p>
                </Notice>
            ))}
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the terms" lines={20} />}
            {data && !error && !nothing && (
                <div class="glossary-told">
                    <p role="status">
                        {counted(total, "term")}
                        {q && (
                            <>
                                {" "}
                                for “<span class="break">{q}</span>”
                            </>
                        )}
                        {letter && !q && sort === "term" && firstOf < 0 && `; none here begins with ${letter.toUpperCase()}: this is where it would stand`}
                    </p>
                    {(q || filtered) && <a href="/glossary">All terms</a>}
                </div>
            )}
            {nothing && (
                <Empty icon="glossary" title={q || filtered ? "No term is like that, or none that you may see" : "The glossary is empty"}>
                    {q || filtered ? (
                        <a href="/glossary">All terms</a>
                    ) : session.may("write_glossary") ? (
                        <>
                            <a href="/glossary/new">Write the first term</a>, <a href="/glossary/import">import a file</a> or{" "}
                            <a href="/glossary/candidates">look for terms in the documents</a>.
                        </>
                    ) : (
                        "Nobody has written a term that you may see."
                    )}
                </Empty>
            )}
            {data && entries.length > 0 && (
                <>
                    <ul ref={list} class="term-list" aria-busy={loading ? "true" : undefined}>
                        {entries.map((term, i) => (
                            <Row key={term.id} term={term} at={i} first={i === firstOf} />
                        ))}
                    </ul>
                    <Paging
                        page={data.pagination.page}
                        pages={data.pagination.total_pages}
                        total={total}
                        onPage={(to) => {
                            setQuery({ page: to === 1 ? null : to, letter: null });
                            scrollTo(0, 0);
                        }}
                    />
                </>
            )}
            {exporting && <Export filters={filters} onClose={() => setExporting(false)} />}
        </Around>
    );
}
