import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { PageProps } from "../../areas";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { CheckField } from "../../ui/Field";
import { count, counted, duration } from "../../ui/format";
import { useKeys, useLoad, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { keepSearch } from "../../ui/lastSearch";
import { Paging } from "../../ui/Table";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { toast } from "../../ui/Toast";
import { Box } from "./Box";
import { Facets } from "./Facets";
import { ask, byAll, filtersOf, forget, isFiltered, modes, ownedBy, PER_PAGE, readSearch, recent, remember } from "./query";
import type { Answer, Search } from "./query";
import { ResultCard } from "./ResultCard";
import { askedWords, standingIn } from "../../ui/question";
import { PlanNotes, textsOf } from "./Why";
import "./search.css";
import "./result.css";

function useSearch(search: Search) {
    const { me, state } = useSession();
    const ready = search.q !== "" && state !== "loading";
    const config = { mode: search.mode, explain: search.why, max_results: PER_PAGE, offset: (search.page - 1) * PER_PAGE };
    return useLoad(ready ? JSON.stringify([me?.user_id, search]) : null, (signal) => ask(me, search.q, config, filtersOf(search), signal, byAll));
}

const degradedWords: Record<string, string> = {
    embedding: "Meaning was not searched: the embedder is out of reach. Only words were looked for.",
    rerank: "The results were not put into their final order: the re-ranker is out of reach.",
    deadline: "The search ran out of time; there may be more than what is shown.",
};

function Notices({ answer }: { answer: Answer }) {
    return (
        <>
            {answer.degraded.map((part) => (
                <Notice key={part} kind="warn">
                    <p>{degradedWords[part] ?? `A part of the search was missing: ${part}.`}</p>
                </Notice>
            ))}
            {answer.expanded.length > 0 && (
                <p class="small quiet expanded">
                    <Icon name="book" size={16} />
                    <span>
                        The glossary added: {answer.expanded.map((one) => `${one.added.join(", ")} (for ${one.term})`).join("; ")}
                    </span>
                </p>
            )}
        </>
    );
}

function share(): void {
    navigator.clipboard?.writeText(location.href).then(
        () => toast({ text: "The address of this search was copied." }),
        () => toast({ text: "Copy the address from the browser's bar: it is this search." }),
    );
}

function Bar({ search, answer }: { search: Search; answer: Answer | null }) {
    return (
        <div class="bar">
            <fieldset class="modes">
                <legend class="visually-hidden">Search by</legend>
                {modes.map((mode) => (
                    <label key={mode.value}>
                        <input
                            type="radio"
                            name="mode"
                            value={mode.value}
                            checked={search.mode === mode.value}
                            onChange={() => setQuery({ mode: mode.value === "hybrid" ? null : mode.value, page: null })}
                        />
                        <span>{mode.text}</span>
                    </label>
                ))}
            </fieldset>
            <p class="told" role="status">
                {answer &&
                    `${totalInWords(search, answer)} in ${duration(answer.response_time)}${answer.from_cache ? ", kept from before" : ""}`}
            </p>
            <div class="bar-tools">
                <CheckField label="Why these" checked={search.why} onChange={() => setQuery({ why: search.why ? null : "1" })} />
                <Button kind="quiet" icon="link" onClick={share}>
                    Copy link
                </Button>
            </div>
        </div>
    );
}

function Start({ onSearch }: { onSearch: (q: string) => void }) {
    const list = recent();
    return (
        <div class="start">
            <h1 tabIndex={-1}>Find it</h1>
            <p class="page-lead">Ask in your own words. Passages are found by their words and by what they mean, in every document that you may read.</p>
            {list.length > 0 && (
                <section aria-label="Searched lately">
                    <h2>Searched lately</h2>
                    <ul class="recent">
                        {list.map((text) => (
                            <li key={text}>
                                <button type="button" class="chip" onClick={() => onSearch(text)}>
                                    <Icon name="clock" size={16} />
                                    <span class="cut">{text}</span>
                                </button>
                            </li>
                        ))}
                    </ul>
                    <Button
                        kind="quiet"
                        onClick={() => {
                            forget();
                            toast({ text: "Earlier searches are forgotten." });
                            setQuery({ q: null, forgotten: Date.now() }, { replace: true });
                        }}
                    >
                        Forget them
                    </Button>
                </section>
            )}
        </div>
    );
}

function stepResult(by: 1 | -1): void {
    const links = [...document.querySelectorAll<HTMLElement>("[data-result]")];
    const at = links.findIndex((one) => one.closest(".result")?.contains(document.activeElement) ?? false);
    const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
    next?.focus();
    next?.closest(".result")?.scrollIntoView({ block: "nearest" });
}

/** From one result's title to the next; from the first back to the box. */
function onArrow(event: KeyboardEvent): void {
    if (!(event.target instanceof HTMLElement) || !event.target.matches("[data-result]")) return;
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const first = event.target === document.querySelector("[data-result]");
    if (event.key === "ArrowUp" && first) document.querySelector<HTMLElement>("[data-search-box]")?.focus();
    else stepResult(event.key === "ArrowDown" ? 1 : -1);
}

/** The place from which on no result has a word of the question; -1 without one. */
function wordless(results: Answer["results"]): number {
    let from = results.length;
    while (from > 0 && results[from - 1]!.text_score === 0) from--;
    return from === results.length ? -1 : from;
}

/** The words of the question, by whether they stand in what is shown. */
function wordsShown(search: Search, answer: Answer): { there: Set<string>; absent: string[] } {
    const words = askedWords(search.q);
    const there = standingIn(words, answer.results.flatMap(textsOf));
    return { there, absent: words.filter((word) => !there.has(word)) };
}

/** Meaning finds something for whatever is asked: such a number says how many were near, not
 * how many are right. */
function totalInWords(search: Search, answer: Answer): string {
    const { there, absent } = wordsShown(search, answer);
    const near = search.mode === "vector" || (search.mode === "hybrid" && (wordless(answer.results) >= 0 || absent.length > there.size));
    return near && answer.total > 0 ? counted(answer.total, "closest passage") : counted(answer.total, "passage");
}

/** What was asked and is not in what is shown. */
function Absent({ search, answer }: { search: Search; answer: Answer }) {
    if (search.mode === "vector" || answer.results.length === 0) return null;
    const { there, absent } = wordsShown(search, answer);
    if (wordless(answer.results) === 0 || (absent.length > 0 && there.size === 0))
        return (
            <Notice kind="warn">
                <p>None of your words is in these passages. They are what comes closest in meaning, which may be far off.</p>
            </Notice>
        );
    if (absent.length === 0) return null;
    return (
        <p class="small quiet absent" role="note">
            In none of the results on this page: {absent.map((word) => `“${word}”`).join(", ")}
        </p>
    );
}

function Results({ search, answer, loading }: { search: Search; answer: Answer; loading: boolean }) {
    const list = useRef<HTMLOListElement>(null);
    const shown = answer.results;
    if (shown.length === 0 && !loading)
        return (
            <Empty icon="search" title="Nothing was found">
                {isFiltered(search) ? "Remove a filter, or use other words." : "Use other or fewer words, or search by meaning."}
            </Empty>
        );
    const from = (search.page - 1) * PER_PAGE;
    const closest = search.mode === "vector" ? -1 : wordless(shown);
    return (
        <>
            <Absent search={search} answer={answer} />
            <ol ref={list} class="results" start={from + 1} aria-busy={loading} onKeyDown={onArrow}>
                {shown.flatMap((result, i) => [
                    i > 0 && i === closest && (
                        <li key="closest" class="closest">
                            Closest in meaning, though without your words
                        </li>
                    ),
                    <ResultCard key={result.chunk_id} result={result} place={from + i + 1} answer={answer} />,
                ])}
            </ol>
            <Paging
                page={search.page}
                pages={Math.ceil(Math.min(answer.total, 100_000) / PER_PAGE)}
                total={answer.total}
                onPage={(page) => {
                    setQuery({ page: page === 1 ? null : page });
                    scrollTo(0, 0);
                    list.current?.querySelector<HTMLElement>("[data-result]")?.focus({ preventScroll: true });
                }}
            />
        </>
    );
}

/** Whether the filters have a column of their own. */
function useWide(): boolean {
    const asked = useMemo(() => matchMedia("(min-width: 60.01rem)"), []);
    const [wide, setWide] = useState(asked.matches);
    useEffect(() => {
        const onChange = () => setWide(asked.matches);
        asked.addEventListener("change", onChange);
        return () => asked.removeEventListener("change", onChange);
    }, [asked]);
    return wide;
}

export default function Page({ query }: PageProps) {
    const search = readSearch(query);
    const { me } = useSession();
    ownedBy(me?.user_id ?? "");
    const { data: answer, error, loading, again } = useSearch(search);
    if (search.q) keepSearch(me?.user_id ?? "", location.pathname + location.search);
    useTitle(search.q ? `${search.q} · Search` : "Search");
    useKeys({ j: () => stepResult(1), k: () => stepResult(-1) });

    const onSearch = (q: string) => {
        remember(q);
        setQuery({ q, page: null });
    };
    const wide = useWide();
    const chosen = Object.keys(search.facets).length + (search.collection ? 1 : 0);
    return (
        <div class={search.q ? "search-page" : "search-page search-start"}>
            <Box q={search.q} onSearch={onSearch} />
            {search.q === "" ? (
                <Start onSearch={onSearch} />
            ) : (
                <>
                    <h1 class="visually-hidden" tabIndex={-1}>
                        Results for {search.q}
                    </h1>
                    <Bar search={search} answer={answer} />
                    <div class="search-split">
                        <aside aria-label="Filters">
                            <details class="filters" open={wide}>
                                <summary>
                                    <Icon name="filter" size={18} /> Filters{chosen > 0 ? ` (${count(chosen)})` : ""}
                                </summary>
                                <Facets search={search} answer={answer} />
                            </details>
                        </aside>
                        <section class="found" aria-label="Results">
                            {error && <ErrorNotice error={error} again={again} />}
                            {!error && !answer && <Loading what="Searching" lines={8} />}
                            {!error && answer && (
                                <>
                                    <Notices answer={answer} />
                                    {search.why && answer.plan && <PlanNotes answer={answer} />}
                                    <Results search={search} answer={answer} loading={loading} />
                                </>
                            )}
                        </section>
                    </div>
                </>
            )}
        </div>
    );
}
