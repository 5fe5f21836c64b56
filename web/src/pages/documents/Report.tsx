// What was kept of a document when it was cut into passages, and what was left out.
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { count, counted, percent } from "../../ui/format";
import { useLoad } from "../../ui/hooks";
import { Card } from "../../ui/Small";
import { ErrorNotice, Loading } from "../../ui/States";
import { Table } from "../../ui/Table";
import { documentPath } from "./model";

const reasons: Record<string, string> = {
    repeated_line: "Repeated on every page",
    page_number: "Page number",
    contents: "Table of contents",
    no_words: "Without words",
};

/** The document that a passage is of: its id before the last #. */
function documentOf(passage: string): string {
    const at = passage.lastIndexOf("#");
    return at < 0 ? passage : passage.slice(0, at);
}

type Duplicate = { chunk_id: string; duplicate_of: string; similarity: number };

export function ReportTab({ id }: { id: string }) {
    const { data, error, again } = useLoad("report " + id, (signal) =>
        api.get<Schemas["Report"]>(`/api/documents/${segment(id)}/report`, { signal }),
    );
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Loading the report" lines={6} />;
    const duplicates = data.duplicates as unknown as Duplicate[];
    return (
        <div class="stack">
            <Card title="What was kept">
                <dl class="facts">
                    <dt>Passages</dt>
                    <dd>{count(data.chunks)}</dd>
                    <dt>Sections</dt>
                    <dd>{count(data.sections)}</dd>
                    <dt>Pages</dt>
                    <dd>{data.pages > 0 ? count(data.pages) : "–"}</dd>
                    <dt>Characters</dt>
                    <dd>{count(data.characters)}</dd>
                    <dt>Language</dt>
                    <dd>{data.language ?? "–"}</dd>
                    {data.inherited && data.inherited.length > 0 && (
                        <>
                            <dt>From the collection</dt>
                            <dd>{data.inherited.join(", ")}</dd>
                        </>
                    )}
                </dl>
            </Card>
            <Card title="What was left out">
                {data.kept_all && <p>Nothing would have been left, so everything was kept.</p>}
                {data.dropped.length === 0 && !data.kept_all && <p class="quiet">Nothing.</p>}
                {data.dropped.length > 0 && (
                    <Table
                        caption="What was left out"
                        rows={data.dropped}
                        keyOf={(one) => `${one.reason} ${one.section} ${one.page_number} ${one.text}`}
                        columns={[
                            { name: "text", title: "Text", show: (one) => one.text },
                            { name: "reason", title: "Why", show: (one) => reasons[one.reason] ?? one.reason },
                            { name: "page", title: "Page", numeric: true, show: (one) => one.page_number ?? "–" },
                            { name: "count", title: "Times", numeric: true, show: (one) => count(one.count) },
                        ]}
                    />
                )}
            </Card>
            <Card title="Nearly the same elsewhere">
                {!data.compared && <p class="quiet">Its passages have not been compared yet.</p>}
                {data.compared && duplicates.length === 0 && <p class="quiet">No passage of it.</p>}
                {duplicates.length > 0 && (
                    <>
                        <p>{counted(duplicates.length, "passage")}</p>
                        <ul class="because">
                            {duplicates.map((one) => (
                                <li key={one.chunk_id} class="break">
                                    {one.chunk_id} is like <a href={documentPath(documentOf(one.duplicate_of))}>{one.duplicate_of}</a> ({percent(one.similarity)})
                                </li>
                            ))}
                        </ul>
                    </>
                )}
            </Card>
        </div>
    );
}
