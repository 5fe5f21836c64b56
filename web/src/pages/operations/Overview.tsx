import { useEffect, useRef, useState } from "preact/hooks";
import { api, request, wasAborted } from "../../api";
import type { Schemas } from "../../api";
import { bytes, count, duration, percent } from "../../ui/format";
import { useEvery, useLoad } from "../../ui/hooks";
import { Badge, Card } from "../../ui/Small";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { Table } from "../../ui/Table";
import { Chart } from "./Chart";
import { parse, perSecond, quantile, sum } from "./figures";
import type { Sample } from "./figures";

const EVERY_MS = 3000;
const KEPT = 100; // looks: five minutes

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

/** The last looks at the figures, for as long as the page is open. */
function useSamples(): Sample[] {
    const [samples, setSamples] = useState<Sample[]>([]);
    const asked = useRef<AbortController | null>(null);
    const look = () => {
        asked.current?.abort();
        const abort = new AbortController();
        asked.current = abort;
        request("GET", "/health/metrics", null, { signal: abort.signal, headers: { Accept: "text/plain" } })
            .then((answer) => answer.text())
            .then((text) => setSamples((old) => [...old.slice(1 - KEPT), parse(text, performance.now() / 1000)]))
            .catch((fault: unknown) => {
                if (!wasAborted(fault)) setSamples((old) => old.slice(-KEPT));
            });
    };
    useEffect(() => {
        look();
        return () => asked.current?.abort();
    }, []);
    useEvery(EVERY_MS, look);
    return samples;
}

function over(samples: readonly Sample[], of: (before: Sample, after: Sample) => number | null): (number | null)[] {
    return samples.slice(1).map((after, i) => {
        const before = samples[i];
        return before ? of(before, after) : null;
    });
}

function share(part: number, whole: number): number | null {
    return whole > 0 ? part / whole : null;
}

function Live() {
    const samples = useSamples();
    const rate = (n: number) => `${n < 10 ? n.toFixed(1) : count(Math.round(n))}/s`;
    const search = 'endpoint="search_documents"';
    const lines = [
        { label: "Requests", show: rate, values: over(samples, (a, b) => perSecond(a, b, "http_requests_total")) },
        { label: "Errors (5xx)", show: rate, values: over(samples, (a, b) => perSecond(a, b, "http_requests_total", 'status="5')) },
        { label: "Search, 95 of 100 within", show: duration, values: over(samples, (a, b) => quantile(a, b, "http_request_duration_seconds", 0.95, search)) },
        {
            label: "Answers from the cache",
            show: (n: number) => percent(n),
            most: 1,
            values: over(samples, (a, b) => {
                const hits = perSecond(a, b, "cache_operations_total", 'operation="hit"');
                return share(hits, hits + perSecond(a, b, "cache_operations_total", 'operation="miss"'));
            }),
        },
        { label: "Under way", show: (n: number) => count(n), values: samples.map((one) => sum(one, "cairn_http_requests_in_flight")) },
        { label: "Connections", show: (n: number) => count(n), values: samples.map((one) => sum(one, "cairn_http_connections")) },
    ];
    return (
        <Card title="This gateway, now">
            <div class="charts">
                {lines.map((line) => (
                    <Chart key={line.label} {...line} />
                ))}
            </div>
        </Card>
    );
}

export function Overview() {
    const health = useLoad("health", (signal) => api.get<Health>("/health/detailed", { signal }));
    const stats = useLoad("stats", (signal) => api.get<AdminStats>("/api/admin/stats", { signal }));
    useEvery(10_000, () => {
        health.again();
        stats.again();
    });
    const error = health.error ?? stats.error;
    const again = () => {
        health.again();
        stats.again();
    };
    // all at once: what comes later would move what is already read
    if (!health.data || !stats.data) return error ? <ErrorNotice error={error} again={again} /> : <Loading what="Asking the services" lines={8} />;
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
            <Live />
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
