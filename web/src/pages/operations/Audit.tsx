import { useState } from "preact/hooks";
import type { PageProps } from "../../areas";
import { api } from "../../api";
import type { Schemas } from "../../api";
import { setQuery } from "../../router";
import { Button } from "../../ui/Button";
import { SelectField, TextField } from "../../ui/Field";
import { duration, moment } from "../../ui/format";
import { asError, useDebounced, useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Table } from "../../ui/Table";
import { toast } from "../../ui/Toast";

type Page = Schemas["AuditPage"];
type Entry = Page["records"][number];

const outcomes = ["", "ok", "denied", "invalid", "failed", "abandoned"].map((value) => ({ value, text: value || "Any" }));
const kinds: Record<string, "ok" | "warn" | "danger"> = { ok: "ok", denied: "warn", invalid: "warn", failed: "danger", abandoned: "warn" };

function Records({ records }: { records: readonly Entry[] }) {
    return (
        <Table
            caption="Audit records, newest first"
            rows={records}
            keyOf={(entry) => `${entry.chain ?? ""}-${entry.seq ?? entry.timestamp}`}
            columns={[
                { name: "when", title: "When", show: (entry) => moment(entry.timestamp) },
                {
                    name: "who",
                    title: "Who",
                    show: (entry) => (
                        <>
                            {entry.user_id || "nobody"}
                            {entry.user_role && <span class="quiet small"> {entry.user_role}</span>}
                        </>
                    ),
                },
                {
                    name: "what",
                    title: "What",
                    show: (entry) => (
                        <>
                            {entry.action.replaceAll("_", " ")}
                            {entry.target && <span class="quiet small"> {entry.target}</span>}
                        </>
                    ),
                },
                { name: "outcome", title: "Outcome", show: (entry) => <Badge kind={kinds[entry.outcome] ?? "warn"}>{entry.code ? `${entry.outcome}: ${entry.code}` : entry.outcome}</Badge> },
                { name: "from", title: "From", show: (entry) => entry.ip_address || "–" },
                { name: "took", title: "Took", numeric: true, show: (entry) => (entry.response_time ? duration(entry.response_time) : "–") },
            ]}
        />
    );
}

export function Audit({ query }: Pick<PageProps, "query">) {
    const asked = { user: query.get("user") ?? "", action: query.get("action") ?? "", outcome: query.get("outcome") ?? "" };
    const late = useDebounced(JSON.stringify(asked), 250);
    const first = useLoad(late, (signal) => api.get<Page>("/api/admin/audit", { query: { ...asked, limit: 50 }, signal }));
    const [further, setFurther] = useState<{ of: string; records: Entry[]; cursor: string | null }>({ of: "", records: [], cursor: null });
    const mine = further.of === late ? further : null;
    const cursor = mine ? mine.cursor : (first.data?.next_cursor ?? null);
    const records = [...(first.data?.records ?? []), ...(mine?.records ?? [])];
    const more = () => {
        api.get<Page>("/api/admin/audit", { query: { ...asked, limit: 50, cursor } }).then(
            (page) => setFurther({ of: late, records: [...(mine?.records ?? []), ...page.records], cursor: page.next_cursor }),
            (fault: unknown) => toast({ text: asError(fault).message, kind: "danger" }),
        );
    };
    const change = (name: string) => (event: { currentTarget: { value: string } }) => setQuery({ [name]: event.currentTarget.value }, { replace: true });
    return (
        <div class="stack">
            <form class="filters" role="search" aria-label="Records" onSubmit={(event) => event.preventDefault()}>
                <TextField label="User" value={asked.user} onInput={change("user")} />
                <TextField label="Action" placeholder="search_documents" value={asked.action} onInput={change("action")} />
                <SelectField label="Outcome" choices={outcomes} value={asked.outcome} onChange={change("outcome")} />
            </form>
            {first.error && <ErrorNotice error={first.error} again={first.again} />}
            {!first.data && !first.error && <Loading what="Reading the log" />}
            {first.data && records.length === 0 && (
                <Empty icon="search" title="No record is like that">
                    Leave a field empty to see more.
                </Empty>
            )}
            {records.length > 0 && <Records records={records} />}
            {cursor && (
                <div class="centred">
                    <Button icon="down" onClick={more}>
                        Older ones
                    </Button>
                </div>
            )}
        </div>
    );
}
