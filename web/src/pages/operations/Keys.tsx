import { useState } from "preact/hooks";
import type { PageProps } from "../../areas";
import { api, segment } from "../../api";
import type { ApiError, Schemas } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { Confirm, Dialog } from "../../ui/Dialog";
import { CheckField, SelectField, TextField } from "../../ui/Field";
import { moment } from "../../ui/format";
import { asError, useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading, Notice } from "../../ui/States";
import { Paging, Table } from "../../ui/Table";
import { toast } from "../../ui/Toast";
import { OpenAccess } from "./OpenAccess";
import { oneOf, useRoleChoices, useRolePermissions } from "./Roles";

type Key = Schemas["ApiKey"];
type Page = { keys: Key[]; pagination: { page: number; total_pages: number; total_count: number } };

const lives = [
    { value: "0", text: "Until it is revoked" },
    { value: "2592000", text: "30 days" },
    { value: "31536000", text: "A year" },
];

/** The one moment in which the key can be seen. */
function Made({ made, onClose }: { made: Schemas["ApiKeyMade"]; onClose: () => void }) {
    const copy = () =>
        navigator.clipboard?.writeText(made.key).then(
            () => toast({ text: "The key was copied." }),
            () => toast({ text: "Mark the key and copy it by hand.", kind: "danger" }),
        );
    return (
        <Dialog
            title={`The key for ${made.name}`}
            onClose={onClose}
            actions={
                <>
                    <Button icon="link" onClick={copy}>
                        Copy
                    </Button>
                    <Button kind="primary" onClick={onClose}>
                        I have kept it
                    </Button>
                </>
            }
        >
            <div class="stack">
                <Notice kind="warn">
                    <p>It is shown this once: only its hash is stored.</p>
                </Notice>
                <code class="secret break">{made.key}</code>
            </div>
        </Dialog>
    );
}

function Make({ onClose, onMade }: { onClose: () => void; onMade: (made: Schemas["ApiKeyMade"]) => void }) {
    const { me } = useSession();
    const roles = useRoleChoices();
    const [form, setForm] = useState({ name: "", role: "staff", expires_in: "0" });
    const [scopes, setScopes] = useState<string[]>(["search", "read_documents"]);
    const [error, setError] = useState<ApiError | null>(null);
    const set = (name: keyof typeof form) => (event: { currentTarget: { value: string } }) => setForm({ ...form, [name]: event.currentTarget.value });
    const role = oneOf(roles, form.role);
    const allowed = useRolePermissions(role);
    const lacks = (one: string) => allowed !== null && !allowed.includes(one);
    const chosen = scopes.filter((one) => !lacks(one));
    const save = (event: Event) => {
        event.preventDefault();
        api.post<Schemas["ApiKeyMade"]>("/api/admin/keys", { ...form, role, expires_in: Number(form.expires_in), scopes: chosen }).then(onMade, (fault: unknown) => setError(asError(fault)));
    };
    return (
        <Dialog
            title="Make an API key"
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button kind="primary" type="submit" form="key-form" disabled={chosen.length === 0}>
                        Make it
                    </Button>
                </>
            }
        >
            <form id="key-form" class="stack" onSubmit={save}>
                {error && <ErrorNotice error={error} />}
                <TextField label="What it is for" name="name" required value={form.name} onInput={set("name")} />
                <SelectField label="Role" help="It may do no more than this role" choices={roles} value={role} onChange={set("role")} />
                <SelectField label="Good for" choices={lives} value={form.expires_in} onChange={set("expires_in")} />
                <fieldset class="scopes">
                    <legend>What it may do (greyed out: what the role {role} may not)</legend>
                    {(me?.permissions ?? [])
                        .filter((one) => one !== "session")
                        .map((one) => (
                            <CheckField
                                key={one}
                                label={one.replaceAll("_", " ")}
                                disabled={lacks(one)}
                                title={lacks(one) ? `A key of the role ${role} cannot have it` : undefined}
                                checked={chosen.includes(one)}
                                onChange={(event) => setScopes(event.currentTarget.checked ? [...scopes, one] : scopes.filter((other) => other !== one))}
                            />
                        ))}
                </fieldset>
            </form>
        </Dialog>
    );
}

function stateOf(key: Key) {
    if (key.revoked_at) return <Badge>revoked</Badge>;
    if (key.expires_at && Date.parse(key.expires_at) < Date.now()) return <Badge kind="warn">expired</Badge>;
    return <Badge kind="ok">good</Badge>;
}

export function Keys({ query }: Pick<PageProps, "query">) {
    const page = Number(query.get("page") ?? "1") || 1;
    const list = useLoad(String(page), (signal) => api.get<Page>("/api/admin/keys", { query: { page, per_page: 20 }, signal }));
    const [making, make] = useState(false);
    const [made, setMade] = useState<Schemas["ApiKeyMade"] | null>(null);
    const [doomed, doom] = useState<Key | null>(null);
    const revoke = (key: Key) => {
        doom(null);
        api.del(`/api/admin/keys/${segment(key.id)}`).then(
            () => {
                toast({ text: `${key.name} is good for nothing any more.` });
                list.again();
            },
            (fault: unknown) => toast({ text: asError(fault).message, kind: "danger", seconds: 0 }),
        );
    };
    return (
        <div class="stack">
            <OpenAccess />
            <div class="row">
                <Button kind="primary" icon="plus" onClick={() => make(true)}>
                    Make an API key
                </Button>
            </div>
            {list.error && <ErrorNotice error={list.error} again={list.again} />}
            {!list.data && !list.error && <Loading what="Reading the keys" />}
            {list.data && list.data.keys.length === 0 && (
                <Empty icon="shield" title="There are no keys yet">
                    A program signs in with a key, which may do only what you choose.
                </Empty>
            )}
            {list.data && list.data.keys.length > 0 && (
                <>
                    <Table
                        caption="API keys, newest first"
                        rows={list.data.keys}
                        keyOf={(key) => key.id}
                        columns={[
                            { name: "name", title: "For", show: (key) => <strong>{key.name}</strong> },
                            { name: "role", title: "Role", show: (key) => key.role },
                            { name: "scopes", title: "May", show: (key) => <span class="small">{key.scopes.map((one) => one.replaceAll("_", " ")).join(", ")}</span> },
                            { name: "state", title: "State", show: stateOf },
                            { name: "used", title: "Last used", show: (key) => moment(key.last_used_at) },
                            {
                                name: "acts",
                                title: "What can be done",
                                show: (key) =>
                                    key.revoked_at ? (
                                        "–"
                                    ) : (
                                        <Button kind="quiet" onClick={() => doom(key)}>
                                            Revoke
                                        </Button>
                                    ),
                            },
                        ]}
                    />
                    <Paging page={page} pages={list.data.pagination.total_pages} total={list.data.pagination.total_count} onPage={(to) => setQuery({ page: to })} />
                </>
            )}
            {making && (
                <Make
                    onClose={() => make(false)}
                    onMade={(key) => {
                        make(false);
                        setMade(key);
                        list.again();
                    }}
                />
            )}
            {made && <Made made={made} onClose={() => setMade(null)} />}
            {doomed && (
                <Confirm title={`Revoke ${doomed.name}?`} yes="Revoke" onClose={() => doom(null)} onYes={() => revoke(doomed)}>
                    <p>Programs that use it are refused from now on.</p>
                </Confirm>
            )}
        </div>
    );
}
