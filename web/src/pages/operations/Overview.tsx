import { api } from "../../api";
import type { Schemas } from "../../api";
import { bytes, count, duration } from "../../ui/format";
import { useEvery, useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";
import { LastHour } from "./History";
import type { History } from "./History";

type Health = Schemas["HealthDetailed"];

interface Check {
    healthy?: boolean;
    status?: string;
    response_time?: number;
    [more: string]: unknown;
}

interface Replica {
    service: string;
    status: string;
    instance: string;
    version: string;
    uptime: number;
    resident_bytes: number;
    requests_total: number;
    in_flight?: number; // the gateway counts its own elsewhere
    checks: Record<string, Check>;
}

interface AdminStats {
    services: Record<string, { replicas: Omit<Replica, "service">[]; absent: number }>;
}

export function kindOf(status: string): "ok" | "warn" | "danger" {
    return status === "healthy" ? "ok" : status === "degraded" ? "warn" : "danger";
}

const names: Record<string, string> = {
    app: "Gateway",
    database: "PostgreSQL",
    fts_search: "Search index",
    embedding_service: "Embeddings",
    cache: "Redis",
    search_functionality: "A search from end to end",
    graph: "Graph",
    backups: "Backups",
    disk: "Disk",
    memory: "Memory",
    performance: "Response times",
};

/** What a check says beside whether it is well, in words. */
function details(check: Check): string {
    const said = Object.entries(check).filter(
        ([name, value]) => !["healthy", "status"].includes(name) && (typeof value === "number" || (typeof value === "string" && value !== "")),
    );
    return said
        .map(([name, value]) => {
            const words = name.replaceAll("_", " ");
            if (name === "response_time" || name === "uptime" || name.endsWith("_seconds")) return `${words} ${duration(Number(value))}`;
            if (typeof value === "number") return `${words} ${Number.isInteger(value) ? count(value) : value.toFixed(1)}`;
            return `${words} ${String(value)}`;
        })
        .join(" · ");
}

function told(name: string, check: Check): string {
    const mean = check["avg_response_time_ms"];
    if (name === "performance" && typeof mean === "number") return mean > 0 ? `searches of the last 15 minutes took ${duration(mean / 1000)} in the mean` : "no search in the last 15 minutes";
    if (name === "backups" && check["latest_backup"] === null) return "no backup yet";
    return details(check) || "–";
}

function Checks({ health }: { health: Health }) {
    const rows = Object.entries(health.subsystems as Record<string, Check>).map(([name, check]) => ({ name, check }));
    return (
        <Table
            caption="What the gateway checks"
            rows={rows}
            keyOf={(row) => row.name}
            columns={[
                { name: "name", title: "Part", show: (row) => names[row.name] ?? row.name.replaceAll("_", " ") },
                { name: "status", title: "State", show: (row) => <Badge kind={kindOf(row.check.status ?? "")}>{row.check.status ?? "unknown"}</Badge> },
                { name: "said", title: "What it says", show: (row) => <span class="quiet small">{told(row.name, row.check)}</span> },
            ]}
        />
    );
}

function lagOf(replica: Replica): string {
    const index = replica.checks["index"];
    const lag = index?.["lag_seconds"];
    return typeof lag === "number" ? duration(lag) : "–";
}

function Replicas({ stats }: { stats: AdminStats }) {
    const rows = Object.entries(stats.services).flatMap(([service, of]) => of.replicas.map((one) => ({ service, ...one })));
    const absent = Object.entries(stats.services).filter(([, of]) => of.absent > 0);
    return (
        <>
            {absent.map(([service, of]) => (
                <Notice key={service} kind="warn">
                    <p>
                        {count(of.absent)} of {service} did not answer.
                    </p>
                </Notice>
            ))}
            <Table
                caption="Replicas of the services"
                rows={rows}
                keyOf={(row) => row.instance}
                columns={[
                    { name: "service", title: "Service", show: (row) => row.service },
                    { name: "status", title: "State", show: (row) => <Badge kind={kindOf(row.status)}>{row.status}</Badge> },
                    { name: "version", title: "Version", show: (row) => row.version },
                    { name: "uptime", title: "Running for", numeric: true, show: (row) => duration(row.uptime) },
                    { name: "memory", title: "Memory", numeric: true, show: (row) => bytes(row.resident_bytes) },
                    { name: "requests", title: "Requests", numeric: true, show: (row) => count(row.requests_total) },
                    { name: "in_flight", title: "Under way", numeric: true, show: (row) => (row.in_flight === undefined ? "–" : count(row.in_flight)) },
                    { name: "lag", title: "Behind the record", numeric: true, show: lagOf },
                ]}
            />
        </>
    );
}

export function Overview() {
    const health = useLoad("health", (signal) => api.get<Health>("/health/detailed", { signal }));
    const stats = useLoad("stats", (signal) => api.get<AdminStats>("/api/admin/stats", { signal }));
    const history = useLoad("history", (signal) => api.get<History>("/api/admin/stats/history", { signal }));
    const error = health.error ?? stats.error ?? history.error;
    const again = () => {
        health.again();
        stats.again();
        history.again();
    };
    useEvery(10_000, again);
    // all at once: what comes later would move what is already read
    if (!health.data || !stats.data || !history.data) return error ? <ErrorNotice error={error} again={again} /> : <Loading what="Asking the services" lines={8} />;
    return (
        <div class="stack">
            {error && <ErrorNotice error={error} again={again} />}
            <Notice kind={health.data.status === "healthy" ? "ok" : "warn"}>
                <p>
                    {health.data.status === "healthy" ? "Everything is well." : `The stack is ${health.data.status}.`} Version {health.data.version}.
                </p>
                {health.data.issues.map((issue) => (
                    <p key={issue}>{issue}</p>
                ))}
            </Notice>
            <LastHour history={history.data} />
            <section aria-label="Services" class="stack">
                <h2>Services</h2>
                <Replicas stats={stats.data} />
            </section>
            <section aria-label="Checks" class="stack">
                <h2>Checks</h2>
                <Checks health={health.data} />
            </section>
        </div>
    );
}
