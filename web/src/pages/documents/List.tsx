// All documents that one may read: filters, order, pages, and what can be done with them.
import { useEffect, useState } from "preact/hooks";
import { go, setQuery, withQuery } from "../../router";
import { useSession } from "../../session";
import { IconButton } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { count, counted, moment } from "../../ui/format";
import { useDebounced, useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Paging, Table } from "../../ui/Table";
import type { Column } from "../../ui/Table";
import { deleteLater, useDeletions } from "./deletion";
import { DeletedLately } from "./Lately";
import { collections, documentPath, find, said, titleOf } from "./model";
import type { Asked, Summary } from "./model";
import { UploadCard } from "./Upload";

function columnsOf(mayDelete: boolean): Column<Summary>[] {
    const all: Column<Summary>[] = [
        {
            name: "title",
            title: "Title",
            sortable: true,
            show: (one) => (
                <a class="break" data-document href={documentPath(one.document_id)}>
                    {titleOf(one)}
                </a>
            ),
        },
        { name: "collection", title: "Collection", show: (one) => one.collection || <span class="quiet">–</span> },
        { name: "department", title: "Department", sortable: true, show: (one) => said(one.metadata, "department") || <span class="quiet">–</span> },
        { name: "clearance_level", title: "Clearance", sortable: true, numeric: true, show: (one) => said(one.metadata, "clearance_level") || "1" },
        {
            name: "chunks",
            title: "Passages",
            numeric: true,
            show: (one) => (one.pending_embedding > 0 ? <Badge kind="warn">{count(one.pending_embedding)} to embed</Badge> : count(one.chunks)),
        },
        { name: "updated", title: "Changed", show: (one) => <span class="no-break">{moment(one.updated_at)}</span> },
    ];
    if (mayDelete)
        all.push({ name: "delete", title: "Delete", show: (one) => <IconButton icon="trash" label={`Delete ${titleOf(one)}`} onClick={() => deleteLater(one)} /> });
    return all;
}

function Filters({ asked, round }: { asked: Asked; round: string }) {
    const known = useLoad("collections " + round, collections);
    const [text, setText] = useState(asked.text);
    const late = useDebounced(text, 300);
    useEffect(() => setText(asked.text), [asked.text]);
    useEffect(() => {
        if (late === text && late !== asked.text) setQuery({ q: late, page: null }, { replace: true });
    }, [late]);
    const names = new Set([...(known.data?.map((one) => one.name) ?? []), asked.collection].filter(Boolean));
    return (
        <form class="list-filters" role="search" aria-label="Find documents" onSubmit={(event) => {
            event.preventDefault();
            setQuery({ q: text, page: null });
        }}>
            <TextField label="In the title" type="search" value={text} maxLength={200} placeholder="guide, policy, …" onInput={(event) => setText(event.currentTarget.value)} />
            <SelectField
                label="Collection"
                value={asked.collection}
                onChange={(event) => setQuery({ collection: event.currentTarget.value, page: null })}
                choices={[{ value: "", text: "All" }, ...[...names].map((name) => ({ value: name, text: name }))]}
            />
        </form>
    );
}

function Documents({ asked, round }: { asked: Asked; round: string }) {
    const session = useSession();
    const deletions = useDeletions();
    const { data, error, loading, again } = useLoad(JSON.stringify([asked, round]), (signal) => find(asked, signal));
    const filtered = asked.text || asked.collection;
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Loading the documents" lines={20} />;
    const rows = data.documents.filter((one) => !deletions.find(one.document_id));
    const total = data.total - (data.documents.length - rows.length);
    if (total === 0)
        return (
            <Empty icon="documents" title={filtered ? "No document fits" : "There are no documents yet"}>
                {filtered ? <a href="/documents">Show all documents</a> : "Add the first one: drop a file on this page."}
            </Empty>
        );
    return (
        <>
            <p class="told quiet" role="status">
                {counted(total, "document")}
                {asked.text && ` with “${asked.text}” in the title`}
            </p>
            <Table
                caption="Documents"
                columns={columnsOf(session.may("write_documents"))}
                rows={rows}
                keyOf={(one) => one.document_id}
                sort={asked.sort}
                onSort={(sort) => setQuery({ sort, page: null }, { replace: true })}
                busy={loading}
            />
            <Paging
                page={data.page}
                pages={data.pages}
                onPage={(to) => {
                    go(withQuery({ page: to === 1 ? null : to }));
                    scrollTo(0, 0);
                }}
            />
        </>
    );
}

export function List({ query }: { query: URLSearchParams }) {
    const session = useSession();
    const [stored, setStored] = useState(0);
    const round = `${stored} ${useDeletions().round}`; // of what the server has
    const asked: Asked = {
        page: Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1),
        collection: query.get("collection") ?? "",
        text: query.get("q") ?? "",
        sort: query.get("sort") ?? "",
    };
    return (
        <div class="stack">
            {session.may("write_documents") && <UploadCard collection={asked.collection} onStored={() => setStored((n) => n + 1)} round={round} />}
            <DeletedLately />
            <Filters asked={asked} round={round} />
            <Documents asked={asked} round={round} />
        </div>
    );
}
