// Collections: what holds for the documents in them.
import { useState } from "preact/hooks";
import { api, segment } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button, IconButton } from "../../ui/Button";
import { Confirm, Dialog } from "../../ui/Dialog";
import { SelectField, TextArea, TextField } from "../../ui/Field";
import { count, counted } from "../../ui/format";
import { asError, useLoad } from "../../ui/hooks";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Paging, Table } from "../../ui/Table";
import { toast } from "../../ui/Toast";
import { clearances } from "./rules";
import type { Collection } from "./model";

const texts = ["title", "description", "language", "department", "campus"] as const;
const numbers = ["clearance_level", "priority", "chunk_tokens", "chunk_overlap_percent"] as const;
type Field = (typeof texts)[number] | (typeof numbers)[number];
type Draft = Record<Field | "name", string>;

function draftOf(one: Collection | null): Draft {
    const draft = { name: one?.name ?? "" } as Draft;
    for (const name of [...texts, ...numbers]) draft[name] = String(one?.[name] ?? "");
    return draft;
}

function bodyOf(draft: Draft): Record<string, string | number> {
    const body: Record<string, string | number> = {};
    for (const name of texts) if (draft[name].trim()) body[name] = draft[name].trim();
    for (const name of numbers) if (draft[name].trim()) body[name] = Number(draft[name]);
    return body;
}

function Editor({ one, onClose }: { one: Collection | null; onClose: (changed: boolean) => void }) {
    const [draft, setDraft] = useState(() => draftOf(one));
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const of = (name: keyof Draft) => ({
        value: draft[name],
        error: error?.field === name ? error.message : null,
        onInput: (event: { currentTarget: { value: string } }) => setDraft({ ...draft, [name]: event.currentTarget.value }),
    });
    const save = async (event: Event) => {
        event.preventDefault();
        setBusy(true);
        setError(null);
        try {
            await api.put("/api/collections/" + segment(draft.name.trim()), bodyOf(draft));
            toast({ text: `“${draft.name.trim()}” is saved` });
            onClose(true);
        } catch (fault) {
            setError(asError(fault));
            setBusy(false);
        }
    };
    return (
        <Dialog
            title={one ? `Collection ${one.name}` : "New collection"}
            onClose={() => onClose(false)}
            actions={
                <>
                    <Button onClick={() => onClose(false)}>Cancel</Button>
                    <Button kind="primary" type="submit" form="collection-form" busy={busy}>
                        Save
                    </Button>
                </>
            }
        >
            <form id="collection-form" class="stack" onSubmit={(event) => void save(event)}>
                {error && !(error.field && error.field in draft) && <ErrorNotice error={error} />}
                {!one && <TextField label="Name" required maxLength={128} {...of("name")} help="Documents bear it; it stays as it is" />}
                <TextField label="Title" maxLength={512} {...of("title")} />
                <TextArea label="What belongs here" maxLength={8192} rows={2} {...of("description")} />
                <fieldset class="defaults">
                    <legend>For documents that do not say it themselves</legend>
                    <div class="form-grid">
                        <SelectField
                            label="Clearance"
                            value={draft.clearance_level}
                            onChange={(event) => setDraft({ ...draft, clearance_level: event.currentTarget.value })}
                            choices={[{ value: "", text: "Not said" }, ...clearances]}
                            error={error?.field === "clearance_level" ? error.message : null}
                        />
                        <TextField label="Department" maxLength={256} {...of("department")} />
                        <TextField label="Campus" maxLength={256} {...of("campus")} />
                        <TextField label="Language" maxLength={64} placeholder="en" {...of("language")} />
                        <TextField label="Priority, 1 to 5" type="number" min={1} max={5} {...of("priority")} />
                        <TextField label="Tokens of a passage" type="number" min={32} max={8192} {...of("chunk_tokens")} />
                        <TextField label="Overlap, %" type="number" min={0} max={50} {...of("chunk_overlap_percent")} />
                    </div>
                </fieldset>
                <p class="field-help">This holds for documents that are stored from now on.</p>
            </form>
        </Dialog>
    );
}

function Deletion({ one, onClose }: { one: Collection; onClose: (changed: boolean) => void }) {
    const [left, setLeft] = useState<number | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    const remove = async () => {
        setLeft(one.documents);
        setError(null);
        try {
            const query = one.documents > 0 ? { documents: true } : {};
            // as many as there is time for go with each request
            for (;;) {
                const answer = await api.del<Schemas["CollectionDeleted"]>("/api/collections/" + segment(one.name), { query });
                setLeft(answer.documents_left);
                if (answer.documents_left === 0 || answer.documents_deleted === 0) break;
            }
            toast({ text: `“${one.name}” is deleted` });
            onClose(true);
        } catch (fault) {
            setError(asError(fault));
            setLeft(null);
        }
    };
    return (
        <Confirm
            title={`Delete ${one.name}?`}
            yes={one.documents > 0 ? `Delete it and ${counted(one.documents, "document")}` : "Delete it"}
            busy={left !== null}
            onYes={() => void remove()}
            onClose={() => onClose(false)}
        >
            {error && <ErrorNotice error={error} />}
            {one.documents > 0 ? (
                <Notice kind="warn">Its {counted(one.documents, "document")} will be deleted with it. This cannot be taken back.</Notice>
            ) : (
                <p>It holds no documents. What it says for new ones is forgotten.</p>
            )}
            {left !== null && left > 0 && <p role="status">{counted(left, "document")} left…</p>}
        </Confirm>
    );
}

function defaultsOf(one: Collection): string {
    const all = [
        one.clearance_level && `clearance ${one.clearance_level}`,
        one.department,
        one.campus,
        one.language,
        one.priority && `priority ${one.priority}`,
        one.chunk_tokens && `passages of ${one.chunk_tokens}`,
    ];
    return all.filter(Boolean).join(" · ");
}

export function Collections({ query }: { query: URLSearchParams }) {
    const session = useSession();
    const manages = session.may("manage_documents");
    const page = Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
    const [edited, setEdited] = useState<Collection | "new" | null>(null);
    const [doomed, setDoomed] = useState<Collection | null>(null);
    const { data, error, loading, again } = useLoad("collections " + page, (signal) =>
        api.get<Schemas["CollectionPage"]>("/api/collections", { query: { page, per_page: 20 }, signal }),
    );
    const pages = (data?.pagination as Schemas["Pagination"] | undefined)?.total_pages ?? 1;
    const closed = (changed: boolean) => {
        setEdited(null);
        setDoomed(null);
        if (changed) again();
    };
    return (
        <div class="stack">
            {manages && (
                <div class="row">
                    <Button kind="primary" icon="plus" onClick={() => setEdited("new")}>
                        New collection
                    </Button>
                </div>
            )}
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the collections" lines={8} />}
            {data && data.collections.length === 0 && (
                <Empty icon="documents" title="There are no collections">
                    A document that bears the name of one makes it.
                </Empty>
            )}
            {data && data.collections.length > 0 && (
                <Table
                    caption="Collections"
                    busy={loading}
                    rows={data.collections}
                    keyOf={(one) => one.name}
                    columns={[
                        { name: "name", title: "Name", show: (one) => <a class="break" href={`/documents?collection=${encodeURIComponent(one.name)}`}>{one.name}</a> },
                        { name: "title", title: "Title", show: (one) => one.title || <span class="quiet">–</span> },
                        { name: "defaults", title: "Says of its documents", show: (one) => defaultsOf(one) || <span class="quiet">nothing</span> },
                        { name: "documents", title: "Documents", numeric: true, show: (one) => count(one.documents) },
                        ...(manages
                            ? [{
                                  name: "change",
                                  title: "Change",
                                  show: (one: Collection) => (
                                      <span class="cell-actions">
                                          <IconButton icon="pencil" label={`Edit ${one.name}`} onClick={() => setEdited(one)} />
                                          <IconButton icon="trash" label={`Delete ${one.name}`} onClick={() => setDoomed(one)} />
                                      </span>
                                  ),
                              }]
                            : []),
                    ]}
                />
            )}
            <Paging page={page} pages={pages} onPage={(to) => setQuery({ page: to === 1 ? null : to })} />
            {edited && <Editor one={edited === "new" ? null : edited} onClose={closed} />}
            {doomed && <Deletion one={doomed} onClose={closed} />}
        </div>
    );
}
