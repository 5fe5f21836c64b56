import type { Schemas } from "../../api";
import { count, duration, percent } from "../../ui/format";
import { Card } from "../../ui/Small";
import { Table } from "../../ui/Table";
import { Chart } from "./Chart";
import type { Line } from "./Chart";

export type History = Schemas["StatsHistory"];
type Figures = Schemas["HistoryFigures"];
type Route = Schemas["HistoryRoute"];

const SLOW_S = 1; // what 95 of 100 take is called slow from here on
const SHORT_S = 3; // a step that has just begun says nothing of a rate yet

/** Seconds within which 95 of 100 were answered, where the gateway's bounds reach. */
function within(seconds: number | null, bound: number, beyond: boolean): string {
    if (seconds === null) return "none asked";
    return beyond ? `more than ${duration(bound)}` : duration(seconds);
}

function manyBeyond(routes: readonly Route[]): boolean {
    const all = routes.reduce((n, one) => n + one.requests, 0);
    return routes.reduce((n, one) => n + one.beyond, 0) > 0.05 * all;
}

/** What a service said last; it may have said nothing. */
function saidOf(value: number | null, show: (n: number) => string, otherwise: string): string {
    return value === null ? otherwise : show(value);
}

/** The connections of a service's replicas to PostgreSQL. */
function poolLine(label: string, steps: readonly Figures[], now: Figures, size: "search_pool_size" | "graph_pool_size", used: "search_pool_active" | "graph_pool_active"): Line {
    const most = now[size];
    return {
        label,
        show: count,
        most: Math.max(1, ...steps.map((step) => step[size] ?? 0)),
        values: steps.map((step) => step[used]),
        said: most === null ? "not known" : `${count(now[used] ?? 0)} of ${count(most)} now`,
    };
}

/** What the services said of themselves; nothing is drawn where they did not. */
function saidLines(steps: readonly Figures[], now: Figures): Line[] {
    return [
        {
            label: "Recall of vector searches",
            show: (n) => percent(n, n < 1 ? 1 : 0),
            most: 1,
            least: true,
            values: steps.map((s) => s.search_recall),
            said: saidOf(now.search_recall, (n) => percent(n, n < 1 ? 1 : 0), "none measured"),
        },
        { label: "Search, behind the record", show: duration, values: steps.map((s) => s.search_lag), said: saidOf(now.search_lag, behind, "not known") },
        { label: "Graph, behind the record", show: duration, values: steps.map((s) => s.graph_lag), said: saidOf(now.graph_lag, behind, "not known") },
        poolLine("PostgreSQL, in use by search", steps, now, "search_pool_size", "search_pool_active"),
        poolLine("PostgreSQL, in use by graph", steps, now, "graph_pool_size", "graph_pool_active"),
    ];
}

function behind(seconds: number): string {
    return seconds === 0 ? "shows all" : `${duration(seconds)} now`;
}

const isSearch = (route: Route) => route.path === "/api/search";

function cacheShare(of: Figures): number | null {
    const asked = of.cache_hits + of.cache_misses;
    return asked > 0 ? of.cache_hits / asked : null;
}

/** The lines are of the last hour, what is said beside them of the last minutes. */
function linesOf(history: History, last: string): Line[] {
    const { sums, longest_bound: bound } = history;
    const steps = history.steps.filter((step) => step.seconds >= SHORT_S);
    const rate = (n: number) => `${n < 10 ? n.toFixed(1) : count(Math.round(n))}/s`;
    const perSecond = (of: (step: Figures) => number) => steps.map((step) => of(step) / step.seconds);
    const share = cacheShare(sums);
    const whole = (n: number) => count(n);
    return [
        { label: "Requests", show: rate, values: perSecond((s) => s.requests), said: `${count(sums.requests)} ${last}` },
        { label: "Errors (5xx)", show: rate, values: perSecond((s) => s.errors), said: `${count(sums.errors)} ${last}` },
        { label: "Refused", show: rate, values: perSecond((s) => s.refused), said: `${count(sums.refused)} ${last}` },
        { label: "Searches", show: rate, values: perSecond((s) => s.searches), said: `${count(sums.searches)} ${last}` },
        {
            label: "Search, 95 of 100 within",
            show: duration,
            values: steps.map((s) => s.search_p95),
            said: within(sums.search_p95, bound, manyBeyond(history.routes.filter(isSearch))),
        },
        {
            label: "All requests, 95 of 100 within",
            show: duration,
            values: steps.map((s) => s.p95),
            said: within(sums.p95, bound, manyBeyond(history.routes)),
        },
        { label: "Answers from the cache", show: (n) => percent(n), most: 1, values: steps.map(cacheShare), said: share === null ? "none asked" : percent(share) },
        { label: "Under way", show: whole, values: steps.map((s) => s.in_flight), said: `${count(sums.in_flight)} now` },
        { label: "Connections", show: whole, values: steps.map((s) => s.connections), said: `${count(sums.connections)} now` },
        {
            label: "PostgreSQL, in use by the gateway",
            show: whole,
            most: Math.max(1, sums.pool_size),
            values: steps.map((s) => s.pool_active),
            said: `${count(sums.pool_active)} of ${count(sums.pool_size)} now`,
        },
        ...saidLines(steps, sums),
    ];
}

const advice: [RegExp, string][] = [
    [/^\/api\/(search|suggest)/, "Searches share the processors with the model and with what is being stored: look for imports under Jobs and at the embedder's state below, then add processors or replicas."],
    [/^\/api\/(documents|glossary\/import|graph\/import)/, "Storing ends when the vectors are made, so files and large batches take long. Send batches as jobs, or add replicas of the embedder."],
    [/embed/, "This is the model's own time. Ask for fewer texts at once, or add replicas of the embedder."],
    [/^\/api\/graph/, "Such a question goes through much of the graph. Begin it at a label or a property, and limit what it returns."],
    [/^\/api\/(auth|admin\/users)/, "Passwords are checked slowly on purpose; more than a second means that processors are short."],
    [/^\/api\/admin\/stats/, "A replica did not answer in time: its state below says which."],
    [/^\/api\/backups/, "The sets are read where they are kept: look at that disk or store."],
];

function adviceOn(route: Route): string {
    return advice.find(([path]) => path.test(route.path))?.[1] ?? "See below whether PostgreSQL is well and how many of its connections are in use, and whether processors are short.";
}

function Slow({ history, minutes }: { history: History; minutes: string }) {
    const slow = history.routes.filter((one) => (one.p95 ?? 0) > SLOW_S);
    if (slow.length === 0)
        return (
            <p class="quiet small">
                {history.routes.length === 0 ? `Nothing was asked in the last ${minutes}.` : `No request was slow in the last ${minutes}: of each kind 95 of 100 were answered within ${duration(SLOW_S)}.`}
            </p>
        );
    return (
        <Table
            caption={`Slow requests of the last ${minutes}`}
            rows={slow}
            keyOf={(row) => row.operation}
            columns={[
                { name: "what", title: "Slow requests", show: (row) => <code>{row.path ? `${row.method} ${row.path}` : "unknown paths"}</code> },
                { name: "requests", title: "How many", numeric: true, show: (row) => count(row.requests) },
                { name: "p50", title: "Half within", numeric: true, show: (row) => within(row.p50, history.longest_bound, 2 * row.beyond > row.requests) },
                { name: "p95", title: "95 of 100 within", numeric: true, show: (row) => within(row.p95, history.longest_bound, manyBeyond([row])) },
                { name: "advice", title: "What to do", show: (row) => <span class="quiet small">{adviceOn(row)}</span> },
            ]}
        />
    );
}

/** The last hour of the gateway that answers, whoever looked at it meanwhile or did not. */
export function LastHour({ history }: { history: History }) {
    const n = Math.max(1, Math.min(15, Math.round(history.sums.seconds / 60)));
    const minutes = n === 1 ? "minute" : `${n} minutes`;
    const began = history.steps[0]?.ended_at ?? history.begun_at;
    return (
        <Card title="This gateway, the last hour">
            <div class="stack">
                <p class="quiet small">
                    Lines begin at {new Date(began).toLocaleTimeString("en")}; the figures beside them are of the last {minutes}. Probes and streams are left out. Gateway {history.instance}: others tell of themselves.
                </p>
                <div class="charts">
                    {linesOf(history, `in ${n} min`).map((line) => (
                        <Chart key={line.label} {...line} />
                    ))}
                </div>
                <Slow history={history} minutes={minutes} />
            </div>
        </Card>
    );
}
