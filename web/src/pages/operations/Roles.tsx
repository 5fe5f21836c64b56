import { api } from "../../api";
import type { Schemas } from "../../api";
import { count } from "../../ui/format";
import { useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";

type Role = Schemas["RoleList"]["roles"][number];

const reaches: Record<Role["departments"], string> = {
    public: "what is public",
    own: "public and the own department",
    all: "all departments",
};

const builtIn = ["student", "staff", "academic", "admin"];

function useRoleList() {
    return useLoad("roles", (signal) => api.get<Schemas["RoleList"]>("/api/admin/roles", { signal }));
}

/** Roles that somebody can be given: the server's, or the usual ones for who may not see these. */
export function useRoleChoices(): { value: string; text: string }[] {
    const { data } = useRoleList();
    const names = data ? data.roles.filter((role) => role.assignable).map((role) => role.name) : builtIn;
    return names.map((value) => ({ value, text: value }));
}

/** What a role may; null where that is not known. */
export function useRolePermissions(name: string): readonly string[] | null {
    const { data } = useRoleList();
    return data?.roles.find((role) => role.name === name)?.permissions ?? null;
}

/** The one that is wanted, or the first where it is not there. */
export function oneOf(choices: readonly { value: string }[], wanted: string): string {
    return choices.some((one) => one.value === wanted) ? wanted : (choices[0]?.value ?? wanted);
}

function Permissions({ role }: { role: Role }) {
    return (
        <details>
            <summary>{role.permissions.length === 1 ? "1 permission" : `${count(role.permissions.length)} permissions`}</summary>
            <ul class="small">
                {role.permissions.map((name) => (
                    <li key={name}>{name.replaceAll("_", " ")}</li>
                ))}
            </ul>
        </details>
    );
}

/** Read only: roles are a file of the gateway. */
export function Roles() {
    const { data, error, again } = useRoleList();
    if (error) return <ErrorNotice error={error} again={again} />;
    if (!data) return <Loading what="Reading the roles" />;
    const fromFile = data.roles.some((role) => role.source === "file");
    return (
        <div class="stack">
            <Notice>
                <p>
                    {fromFile ? "These roles come from the file that the gateway's setting ROLES_FILE names." : "These roles are the built-in ones: the gateway's setting ROLES_FILE names no file."}{" "}
                    They are changed in such a file, which the gateway reads again on SIGHUP, and not here. Who has which role is on the page of users.
                </p>
            </Notice>
            <Table
                caption="Roles"
                rows={data.roles}
                keyOf={(role) => role.name}
                columns={[
                    { name: "name", title: "Role", show: (role) => <strong>{role.name}</strong> },
                    { name: "clearance", title: "Clearance", show: (role) => count(role.clearance) },
                    { name: "departments", title: "Reaches", show: (role) => reaches[role.departments] },
                    {
                        name: "results",
                        title: "Results",
                        show: (role) => (
                            <>
                                {count(role.max_results)} {role.max_results_limited && <Badge>by MAX_RESULTS_PER_QUERY</Badge>}
                            </>
                        ),
                    },
                    { name: "minute", title: "Requests a minute", show: (role) => count(role.requests_per_minute) },
                    { name: "hour", title: "Requests an hour", show: (role) => count(role.requests_per_hour) },
                    { name: "may", title: "May", show: (role) => <Permissions role={role} /> },
                ]}
            />
        </div>
    );
}
