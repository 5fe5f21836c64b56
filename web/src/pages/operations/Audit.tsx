import { useRef, useState } from "preact/hooks";
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
type Actions = Page["actions"];

const outcomes = ["", "ok", "denied", "invalid", "failed", "abandoned"].map((value) => ({ value, text: value || "Any" }));
const badges: Record<string, "ok" | "warn" | "danger"> = { ok: "ok", denied: "warn", invalid: "warn", failed: "danger", abandoned: "warn" };

// What pages read by themselves would bury the rest; what was refused is told in any case.
const ACTS = "change,login,denied";
const kinds = [
    { value: ACTS, text: "Acts: changes, sign-ins, refusals" },
    { value: "change", text: "Changes" },
    { value: "login", text: "Sign-ins" },
    { value: "search", text: "Searches" },
    { value: "read", text: "Reads" },
    { value: "all", text: "Everything" },
];
const groups: [keyof Actions, string][] = [
    ["change", "Changes"],
    ["login", "Sign-ins"],
    ["search", "Searches"],
    ["read", "Reads"],
];

const words = (action: string) => action.replaceAll("_", " ");

/** The actions that there are; one that the address names stays, also when there is none such. */
function actionChoices(actions: Actions | null, chosen: string) {
    const known = actions ? groups.flatMap(([kind, group]) => actions[kind].map((value) => ({ value, text: words(value), group })).sort((a, b) => a.text.localeCompare(b.text))) : [];
    const other = chosen && !known.some(({ value }) => value === chosen) ? [{ value: chosen, text: words(chosen) }] : [];
    return [{ value: "", text: "Any" }, ...other, ...known];
}

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
                            {words(entry.action)}
                            {entry.target && <span class="quiet small"> {entry.target}</span>}
                        </>
                    ),
                },
                { name: "outcome", title: "Outcome", show: (entry) => <Badge kind={badges[entry.outcome] ?? "warn"}>{entry.code ? `${entry.outcome}: ${entry.code}` : entry.outcome}</Badge> },
                { name: "from", title: "From", show: (entry) => entry.ip_address || "–" },
                { name: "took", title: "Took", numeric: true, show: (entry) => (entry.response_time ? duration(entry.response_time) : "–") },
            ]}
        />
    );
}

export function Audit({ query }: Pick<PageProps, "query">) {
    const action = query.get("action") ?? "";
    const kind = query.get("kind") || ACTS;
    // a chosen action is looked for whatever its kind is
    const asked = { user: query.get("user") ?? "", action, outcome: query.get("outcome") ?? "", kind: action || kind === "all" ? "" : kind };
    const late = useDebounced(JSON.stringify(asked), 250);
    const first = useLoad(late, (signal) => api.get<Page>("/api/admin/audit", { query: { ...asked, limit: 50 }, signal }));
    const [further, setFurther] = useState<{ of: string; records: Entry[]; cursor: string | null }>({ of: "", records: [], cursor: null });
    const actions = useRef<Actions | null>(null);
    if (first.data) actions.current = first.data.actions;
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
                <SelectField label="Kind" choices={kinds} value={kind} disabled={action !== ""} onChange={(event) => setQuery({ kind: event.currentTarget.value === ACTS ? null : event.currentTarget.value }, { replace: true })} />
                <SelectField label="Action" choices={actionChoices(actions.current, action)} value={action} onChange={change("action")} />
                <SelectField label="Outcome" choices={outcomes} value={asked.outcome} onChange={change("outcome")} />
            </form>
            {first.error && <ErrorNotice error={first.error} again={first.again} />}
            {first.error && first.error.status >= 500 && asked.kind && <p class="quiet">Where very much was read and searched meanwhile, looking for this kind can take too long: choose the kind “Everything”, or a user.</p>}
            {!first.data && !first.error && <Loading what="Reading the log" />}
            {first.data && records.length === 0 && (
                <Empty icon="search" title="No record is like that">
                    {kind === ACTS ? "Kind “Everything” shows reads and searches, too." : "Leave a field empty to see more."}
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
