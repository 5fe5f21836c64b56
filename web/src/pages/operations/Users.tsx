import { useState } from "preact/hooks";
import type { PageProps } from "../../areas";
import { api, segment } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { setQuery } from "../../router";
import { Button } from "../../ui/Button";
import { Confirm, Dialog } from "../../ui/Dialog";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { moment } from "../../ui/format";
import { asError, useDebounced, useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Paging, Table } from "../../ui/Table";
import { toast } from "../../ui/Toast";
import { OpenAccess } from "./OpenAccess";
import { oneOf, useRoleChoices } from "./Roles";

type Account = Schemas["Account"];
type Page = { users: Account[]; pagination: { page: number; total_pages: number; total_count: number } };

/** Of nobody: a new one. What is left empty of an account stays as it is. */
function Edit({ account, onClose, onDone }: { account: Account | null; onClose: () => void; onDone: (said: string) => void }) {
    const [form, setForm] = useState({
        username: account?.username ?? "",
        password: "",
        role: account?.role ?? "student",
        department: account?.department ?? "",
        campus: account?.campus ?? "",
        active: account?.active ?? true,
    });
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const roles = useRoleChoices();
    // an account may have a role that is no more
    const known = !account || roles.some((one) => one.value === account.role) ? roles : [...roles, { value: account.role, text: account.role }];
    const role = oneOf(known, form.role);
    const set = (name: keyof typeof form) => (event: { currentTarget: { value: string } }) => setForm({ ...form, [name]: event.currentTarget.value });
    const wrong = (field: string) => (error?.field === field ? error.message : null);
    const save = (event: Event) => {
        event.preventDefault();
        setBusy(true);
        const { username, password, ...others } = form;
        const rest = { ...others, role };
        const change = password ? { ...rest, password } : rest;
        (account ? api.put(`/api/admin/users/${segment(account.id)}`, change) : api.post("/api/admin/users", { username, password, ...rest })).then(
            () => onDone(account ? `${username} was changed.` : `${username} can sign in now.`),
            (fault: unknown) => {
                setError(asError(fault));
                setBusy(false);
            },
        );
    };
    return (
        <Dialog
            title={account ? `Change ${account.username}` : "Add a user"}
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button kind="primary" type="submit" form="user-form" busy={busy}>
                        {account ? "Save" : "Add"}
                    </Button>
                </>
            }
        >
            <form id="user-form" class="stack" onSubmit={save}>
                {error && !error.field && <ErrorNotice error={error} />}
                {!account && <TextField label="Name" name="username" required autocomplete="off" value={form.username} error={wrong("username")} onInput={set("username")} />}
                <TextField
                    label={account ? "New password" : "Password"}
                    name="new-password"
                    type="password"
                    required={!account}
                    autocomplete="new-password"
                    help={account ? "Empty: it stays as it is" : "Eight characters or more: a capital, a small letter, a digit, a sign"}
                    value={form.password}
                    error={wrong("password")}
                    onInput={set("password")}
                />
                <SelectField label="Role" choices={known} value={role} error={wrong("role")} onChange={set("role")} />
                <TextField label="Department" value={form.department} error={wrong("department")} onInput={set("department")} />
                <TextField label="Campus" value={form.campus} error={wrong("campus")} onInput={set("campus")} />
                <CheckField label="May sign in" checked={form.active} onChange={(event) => setForm({ ...form, active: event.currentTarget.checked })} />
            </form>
        </Dialog>
    );
}

function stateOf(account: Account) {
    if (!account.active) return <Badge>may not sign in</Badge>;
    return account.locked ? <Badge kind="warn">locked</Badge> : <Badge kind="ok">active</Badge>;
}

export function Users({ query }: Pick<PageProps, "query">) {
    const q = query.get("q") ?? "";
    const page = Number(query.get("page") ?? "1") || 1;
    const late = useDebounced(JSON.stringify([q, page]), 200);
    const list = useLoad(late, (signal) => api.get<Page>("/api/admin/users", { query: { q, page, per_page: 20 }, signal }));
    const [edited, edit] = useState<Account | "new" | null>(null);
    const [doomed, doom] = useState<Account | null>(null);
    const done = (said: string) => {
        edit(null);
        doom(null);
        toast({ text: said });
        list.again();
    };
    const fail = (fault: unknown) => {
        doom(null);
        toast({ text: asError(fault).message, kind: "danger", seconds: 0 });
    };
    return (
        <div class="stack">
            <OpenAccess />
            <div class="filters">
                <TextField label="Name" type="search" value={q} onInput={(event) => setQuery({ q: event.currentTarget.value, page: null }, { replace: true })} />
                <Button kind="primary" icon="plus" onClick={() => edit("new")}>
                    Add a user
                </Button>
            </div>
            {list.error && <ErrorNotice error={list.error} again={list.again} />}
            {!list.data && !list.error && <Loading what="Reading the users" />}
            {list.data && list.data.users.length === 0 && (
                <Empty icon="person" title={q ? "Nobody has such a name" : "There are no users here"}>
                    {!q && "People may be known by an outside identity provider; those who sign in with a password are added here."}
                </Empty>
            )}
            {list.data && list.data.users.length > 0 && (
                <>
                    <Table
                        caption="Users"
                        rows={list.data.users}
                        keyOf={(account) => account.id}
                        columns={[
                            { name: "username", title: "Name", show: (account) => <strong>{account.username}</strong> },
                            { name: "role", title: "Role", show: (account) => account.role },
                            { name: "department", title: "Department", show: (account) => account.department || "–" },
                            { name: "state", title: "State", show: stateOf },
                            { name: "last", title: "Last here", show: (account) => moment(account.last_login_at) },
                            {
                                name: "acts",
                                title: "What can be done",
                                show: (account) => (
                                    <div class="row">
                                        <Button kind="quiet" onClick={() => edit(account)}>
                                            Change
                                        </Button>
                                        {account.locked && (
                                            <Button kind="quiet" onClick={() => api.put(`/api/admin/users/${segment(account.id)}`, { locked: false }).then(() => done(`${account.username} may try again.`), fail)}>
                                                Unlock
                                            </Button>
                                        )}
                                        <Button kind="quiet" onClick={() => doom(account)}>
                                            Delete
                                        </Button>
                                    </div>
                                ),
                            },
                        ]}
                    />
                    <Paging page={page} pages={list.data.pagination.total_pages} total={list.data.pagination.total_count} onPage={(to) => setQuery({ page: to })} />
                </>
            )}
            {edited && <Edit account={edited === "new" ? null : edited} onClose={() => edit(null)} onDone={done} />}
            {doomed && (
                <Confirm
                    title={`Delete ${doomed.username}?`}
                    yes="Delete"
                    onClose={() => doom(null)}
                    onYes={() => api.del(`/api/admin/users/${segment(doomed.id)}`).then(() => done(`${doomed.username} is gone.`), fail)}
                >
                    <p>They are signed out and cannot come back. What they did stays in the audit log.</p>
                </Confirm>
            )}
        </div>
    );
}
