// Who may read a document, and why.
import { useState } from "preact/hooks";
import { api, segment } from "../../api";
import type { Schemas } from "../../api";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/Field";
import { useLoad } from "../../ui/hooks";
import { Badge, Card } from "../../ui/Small";
import { ErrorNotice, Loading } from "../../ui/States";
import { because, reach } from "./rules";

function Because({ access, who }: { access: Schemas["Access"]; who: string }) {
    return (
        <div class="stack" role="status">
            <p>
                <Badge kind={access.readable ? "ok" : "danger"}>{access.readable ? "May read" : "May not read"}</Badge> <b class="break">{who}</b>
            </p>
            <ul class="because">
                {access.because.map((rule) => (
                    <li key={rule.rule} class={rule.ok ? "because-ok" : "because-not"}>
                        <span aria-hidden="true">{rule.ok ? "✓" : "✗"}</span> {because(rule)}
                    </li>
                ))}
            </ul>
        </div>
    );
}

function whoOf(access: Schemas["Access"]): string {
    const { username, user_id, role, department } = access.subject as Record<string, string | null>;
    return [username ?? user_id, role, department].filter(Boolean).join(" · ");
}

function Other({ id }: { id: string }) {
    const [name, setName] = useState("");
    const [asked, setAsked] = useState<string | null>(null);
    const { data, error, loading } = useLoad(asked === null ? null : `access ${id} ${asked}`, (signal) =>
        api.get<Schemas["Access"]>(`/api/documents/${segment(id)}/access`, { query: { user: asked }, signal }),
    );
    return (
        <Card title="Somebody else">
            <form
                class="ask-access"
                onSubmit={(event) => {
                    event.preventDefault();
                    if (name.trim()) setAsked(name.trim());
                }}
            >
                <TextField label="User, by name or id" value={name} maxLength={200} onInput={(event) => setName(event.currentTarget.value)} />
                <Button type="submit" busy={loading && asked !== null}>
                    May they read it?
                </Button>
            </form>
            {error && <ErrorNotice error={error} />}
            {data && !error && <Because access={data} who={whoOf(data)} />}
        </Card>
    );
}

export function AccessTab({ id }: { id: string }) {
    const session = useSession();
    const manages = session.may("manage_documents");
    const role = session.me?.role;
    const path = `/api/documents/${segment(id)}/access`;
    const own = useLoad("own access " + id, (signal) => api.get<Schemas["Access"]>(path, { signal }));
    const roles = useLoad(manages && role ? "roles " + id : null, (signal) => api.get<Schemas["Access"]>(path, { query: { role: role ?? "" }, signal }));
    return (
        <div class="stack">
            <Card title="You">
                {own.error && <ErrorNotice error={own.error} again={own.again} />}
                {!own.data && !own.error && <Loading what="Asking" lines={3} />}
                {own.data && <Because access={own.data} who={whoOf(own.data)} />}
            </Card>
            {manages && (
                <Card title="Roles">
                    {roles.error && <ErrorNotice error={roles.error} again={roles.again} />}
                    {!roles.data && !roles.error && <Loading what="Asking" lines={5} />}
                    <ul class="role-list">
                        {roles.data?.roles?.map((one) => (
                            <li key={one.role}>
                                <Badge kind={one.readable === "never" ? "plain" : "ok"}>{one.role}</Badge> {reach[one.readable]}
                            </li>
                        ))}
                    </ul>
                </Card>
            )}
            {manages && <Other id={id} />}
        </div>
    );
}
