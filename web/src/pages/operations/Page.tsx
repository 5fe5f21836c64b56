import type { PageProps } from "../../areas";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { Tabs } from "../../ui/Tabs";
import { Audit } from "./Audit";
import { Backups } from "./Backups";
import { Errors } from "./Errors";
import { Jobs } from "./Jobs";
import { Keys } from "./Keys";
import { Models } from "./Models";
import { Overview } from "./Overview";
import { Roles } from "./Roles";
import { Users } from "./Users";
import "./operations.css";

const parts = [
    { id: "overview", text: "Overview", permission: "operate", show: Overview },
    { id: "jobs", text: "Jobs", permission: "operate", show: Jobs },
    { id: "backups", text: "Backups", permission: "backups", show: Backups },
    { id: "users", text: "Users", permission: "admin_users", show: Users },
    { id: "roles", text: "Roles", permission: "admin_users", show: Roles },
    { id: "keys", text: "API keys", permission: "admin_keys", show: Keys },
    { id: "audit", text: "Audit", permission: "read_audit", show: Audit },
    { id: "errors", text: "Errors", permission: "operate", show: Errors },
    { id: "models", text: "Models and cache", permission: "admin_models", show: Models },
] as const;

export default function Page({ query }: PageProps) {
    const session = useSession();
    const offered = parts.filter((part) => session.may(part.permission));
    const wanted = query.get("tab") ?? "overview";
    const part = offered.find((one) => one.id === wanted) ?? offered[0];
    useTitle(part ? `${part.text} · Operations` : "Operations");
    if (!part) return <PageHead title="Operations">Your role may see nothing here.</PageHead>;
    const Part = part.show;
    return (
        <>
            <PageHead title="Operations" />
            <Tabs
                label="Parts of operations"
                tabs={offered}
                chosen={part.id}
                onChoose={(id) => setQuery({ tab: id, page: null, q: null, user: null, action: null, outcome: null, state: null, kind: null })}
            >
                <Part key={part.id} query={query} />
            </Tabs>
        </>
    );
}
