// A document as searches find it: its passages in reading order, the one that led here
// marked, the original at their pages.
import { useEffect, useRef } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { setQuery } from "../../router";
import { useLoad } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { askedWords, Marked } from "../../ui/question";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Paging } from "../../ui/Table";

export interface File {
    address: string;
    type: string;
}

type Passage = Schemas["PassagePage"]["passages"][number];

export function isPdf(file: File): boolean {
    return file.type.startsWith("application/pdf");
}

function Head({ passage, file }: { passage: Passage; file: File | null }) {
    const page = passage.page_number;
    return (
        <p class="quiet small passage-head">
            <span>{[passage.section_title, page ? `page ${page}` : ""].filter(Boolean).join(" · ")}</span>
            {file && page && isPdf(file) ? (
                <a target="_blank" rel="noopener" href={`${file.address}?inline=true#page=${page}`}>
                    <Icon name="external" size={16} /> Original at page {page}
                    <span class="visually-hidden">, in a new tab</span>
                </a>
            ) : null}
        </p>
    );
}

const LEAST = 20; // characters that are no accident
const MOST = 2000;

/** How much of the end of one passage is the beginning of the next. */
function overlap(one: string, next: string): number {
    for (let n = Math.min(one.length, next.length, MOST); n >= LEAST; n--) if (one.endsWith(next.slice(0, n))) return n;
    return 0;
}

/** The texts in reading order, each once: what two passages share stands in the first of
 * them, and where one of them is `wanted`, in that. */
function readingOrder(passages: readonly Passage[], wanted: string): string[] {
    const texts = passages.map((one) => one.text);
    for (let i = 1; i < passages.length; i++) {
        const n = overlap(passages[i - 1]!.text, passages[i]!.text);
        if (n === 0) continue;
        const at = passages[i]!.chunk_id === wanted ? i - 1 : i;
        const rest = at === i ? texts[i]!.slice(n).trimStart() : texts[at]!.slice(0, -n).trimEnd();
        if (rest) texts[at] = at === i ? "… " + rest : rest + " …";
    }
    return texts;
}

export function PassagesTab({ id, query, file }: { id: string; query: URLSearchParams; file: File | null }) {
    const list = useRef<HTMLOListElement>(null);
    const wanted = query.get("passage") ?? "";
    const at = Number.parseInt(query.get("at") ?? "", 10) || 0; // a page that was chosen
    const { data, error, loading, again } = useLoad(JSON.stringify([id, at, at ? "" : wanted]), (signal) =>
        api.get<Schemas["PassagePage"]>(`/api/documents/${segment(id)}/passages`, { query: at ? { page: at } : { passage: wanted }, signal }),
    );
    useEffect(() => {
        const marked = list.current?.querySelector<HTMLElement>("[aria-current]");
        marked?.scrollIntoView({ block: "center" });
        marked?.focus({ preventScroll: true });
    }, [data]);
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Loading the passages" lines={12} />;
    const { page, per_page, total_pages, total_count } = data.pagination;
    if (total_count === 0) return <Empty icon="documents" title="It has no passages" />;
    const texts = readingOrder(data.passages, wanted);
    const words = askedWords(query.get("q") ?? "");
    const lost = wanted && !at && !data.passages.some((one) => one.chunk_id === wanted);
    return (
        <div class="stack">
            {lost && (
                <Notice kind="warn">
                    <p>The passage that led here is no longer part of the document.</p>
                </Notice>
            )}
            <ol ref={list} class="passages" aria-label="Passages" aria-busy={loading} start={(page - 1) * per_page + 1}>
                {data.passages.map((one, i) => {
                    const marked = one.chunk_id === wanted;
                    return (
                        <li key={one.chunk_id} class={marked ? "passage passage-wanted" : "passage"} aria-current={marked ? "true" : undefined} tabIndex={marked ? -1 : undefined}>
                            <Head passage={one} file={file} />
                            <p class="passage-text">
                                <Marked text={texts[i]!} words={words} />
                            </p>
                        </li>
                    );
                })}
            </ol>
            <Paging
                page={page}
                pages={total_pages}
                total={total_count}
                onPage={(to) => {
                    setQuery({ tab: "passages", at: to });
                    scrollTo(0, 0);
                }}
            />
        </div>
    );
}
