// One document: what is known of it, its text, its original, who may read it.
import { useEffect, useState } from "preact/hooks";
import { address, api, request, segment, wasAborted } from "../../api";
import type { Schemas } from "../../api";
import { go, setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { counted, moment } from "../../ui/format";
import { useLoad, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { lastSearch } from "../../ui/lastSearch";
import { askedWords, Marked } from "../../ui/question";
import { Badge, Card, PageHead } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Tabs } from "../../ui/Tabs";
import { AccessTab } from "./Access";
import { deleteLater, useDeletions } from "./deletion";
import { UndoButton } from "./Lately";
import { documentPath, titleOf } from "./model";
import type { Document } from "./model";
import { isPdf, PassagesTab } from "./Passages";
import type { File } from "./Passages";
import { ReportTab } from "./Report";

type SearchAnswer = Schemas["SearchAnswer"];

/** The file that it was made from; null where there is none, or it may not be had. */
async function originalOf(document: Document, signal: AbortSignal): Promise<File | null> {
    if (!document.has_file) return null;
    const path = `/api/documents/${segment(document.document_id)}/file`;
    try {
        return { address: path, type: (await request("HEAD", path, null, { signal })).headers.get("Content-Type") ?? "" };
    } catch (fault) {
        if (wasAborted(fault)) throw fault;
        return null;
    }
}

/** Both at once: a button that comes later would move the others. */
async function load(id: string, signal: AbortSignal) {
    const document = await api.get<Document>("/api/documents/" + segment(id), { signal });
    return { document, file: await originalOf(document, signal) };
}

function Original({ file }: { file: File | null }) {
    if (!file) return null;
    return (
        <>
            {isPdf(file) && (
                <a class="button" target="_blank" rel="noopener" href={file.address + "?inline=true"}>
                    <Icon name="external" size={18} />
                    Open the original
                    <span class="visually-hidden">, in a new tab</span>
                </a>
            )}
            <a class="button" href={file.address} download>
                <Icon name="download" size={18} />
                Download
            </a>
        </>
    );
}

function Value({ value }: { value: unknown }) {
    if (value === null || value === undefined || value === "") return <span class="quiet">–</span>;
    if (typeof value === "object") return <code class="break">{JSON.stringify(value)}</code>;
    return <span class="break">{String(value)}</span>;
}

function Facts({ document }: { document: Document }) {
    const metadata = Object.entries(document.metadata as Record<string, unknown>);
    return (
        <Card title="About it">
            <dl class="facts">
                <dt>Id</dt>
                <dd>
                    <code class="break">{document.document_id}</code>
                </dd>
                <dt>Collection</dt>
                <dd>{document.collection ? <a href={`/documents?collection=${encodeURIComponent(document.collection)}`}>{document.collection}</a> : <span class="quiet">–</span>}</dd>
                <dt>Passages</dt>
                <dd>
                    {counted(document.chunks, "passage")} {document.pending_embedding > 0 && <Badge kind="warn">{document.pending_embedding} to embed</Badge>}
                </dd>
                <dt>Added</dt>
                <dd>{moment(document.created_at)}</dd>
                <dt>Changed</dt>
                <dd>{moment(document.updated_at)}</dd>
                {metadata.map(([name, value]) => (
                    <>
                        <dt>{name.replaceAll("_", " ")}</dt>
                        <dd>
                            <Value value={value} />
                        </dd>
                    </>
                ))}
            </dl>
        </Card>
    );
}

/** The passages of this document that a question finds. */
function Found({ id, query }: { id: string; query: string }) {
    const { data, error, again } = useLoad(`passages ${id} ${query}`, (signal) =>
        api.post<SearchAnswer>("/api/search", { query, filters: { document_id: id }, config: { max_results: 10 } }, { signal }),
    );
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Looking for passages" lines={3} />;
    if (data.results.length === 0) return <p class="quiet">No passage of it was found.</p>;
    return (
        <ol class="passages" aria-label="Passages">
            {data.results.map((one) => (
                <li key={one.chunk_id} class="passage">
                    <p class="quiet small">{[one.section_title, one.page_number ? `page ${one.page_number}` : ""].filter(Boolean).join(" · ")}</p>
                    <p class="passage-text">
                        <Marked text={one.text} words={askedWords(query)} />
                    </p>
                </li>
            ))}
        </ol>
    );
}

function TextTab({ document, query }: { document: Document; query: URLSearchParams }) {
    const asked = query.get("find") ?? "";
    const [text, setText] = useState(asked);
    const words = askedWords(asked || (query.get("q") ?? ""));
    useEffect(() => setText(asked), [asked]);
    return (
        <div class="stack">
            <form
                class="ask-access"
                role="search"
                aria-label="In this document"
                onSubmit={(event) => {
                    event.preventDefault();
                    setQuery({ find: text.trim() });
                }}
            >
                <TextField label="Find passages in this document" type="search" value={text} maxLength={2000} onInput={(event) => setText(event.currentTarget.value)} />
                <Button type="submit" icon="search">
                    Find
                </Button>
            </form>
            {asked && <Found id={document.document_id} query={asked} />}
            <Card title={asked ? "All of its text" : "Its text"}>
                <div class="sections">
                    {document.sections.map((one, i) => (
                        <section key={i}>
                            {(one.title || one.page_number) && (
                                <h3>
                                    {one.title}
                                    {one.page_number ? <span class="quiet small"> page {one.page_number}</span> : null}
                                </h3>
                            )}
                            <p class="section-text">
                                <Marked text={one.text} words={words} />
                            </p>
                        </section>
                    ))}
                </div>
            </Card>
        </div>
    );
}

const tabs = [
    { id: "text", text: "Text" },
    { id: "passages", text: "Passages" },
    { id: "access", text: "Access" },
    { id: "report", text: "Report" },
];

export function DocumentPage({ id, query }: { id: string; query: URLSearchParams }) {
    const session = useSession();
    const { find, round } = useDeletions();
    const deleted = find(id);
    const { data, error, again } = useLoad(deleted ? null : `document ${round} ${id}`, (signal) => load(id, signal));
    useTitle(data ? titleOf(data.document) : "Document");
    if (deleted)
        return (
            <Empty icon="trash" title="This document is deleted">
                <p>
                    <UndoButton one={deleted} />
                </p>
                <a href="/documents">Go to the documents</a>
            </Empty>
        );
    if (error)
        return (
            <>
                <PageHead title="Document" />
                <ErrorNotice error={error} again={again} />
                <a href="/documents">Go to the documents</a>
            </>
        );
    if (!data) return <Loading what="Loading the document" lines={20} />;
    const { document, file } = data;
    const q = query.get("q") ?? ""; // the search that led here
    const usual = query.has("passage") && !query.has("find") ? "passages" : "text"; // where a result leads
    const chosen = tabs.find((one) => one.id === query.get("tab"))?.id ?? usual;
    return (
        <>
            <p class="back row">
                <a href="/documents">Documents</a>
                {q && (
                    <a class="break" href={lastSearch(session.me?.user_id ?? "") || "/search?q=" + encodeURIComponent(q)}>
                        Back to the results for “{q}”
                    </a>
                )}
            </p>
            <PageHead
                title={titleOf(document)}
                actions={
                    <>
                        <Original file={file} />
                        {session.may("write_documents") && (
                            <Button
                                icon="trash"
                                onClick={() => {
                                    deleteLater(document);
                                    go("/documents");
                                }}
                            >
                                Delete
                            </Button>
                        )}
                    </>
                }
            />
            <div class="document">
                <div>
                    <Tabs label="About this document" tabs={tabs} chosen={chosen} onChoose={(tab) => go(address(documentPath(id), { tab: tab === "text" ? null : tab, q }), { replace: true })}>
                        {chosen === "text" && <TextTab document={document} query={query} />}
                        {chosen === "passages" && <PassagesTab id={id} query={query} file={file} />}
                        {chosen === "access" && <AccessTab id={id} />}
                        {chosen === "report" && <ReportTab id={id} />}
                    </Tabs>
                </div>
                <Facts document={document} />
            </div>
        </>
    );
}
