import { api } from "../../api";
import type { Schemas } from "../../api";
import { count, duration } from "../../ui/format";
import { useEvery, useLoad } from "../../ui/hooks";
import { Badge } from "../../ui/Small";
import { Empty, ErrorNotice, Loading } from "../../ui/States";
import { Table } from "../../ui/Table";

const kinds = { CRITICAL: "danger", ERROR: "danger", WARNING: "warn" } as const;

export function Errors() {
    const stats = useLoad("errors", (signal) => api.get<Schemas["ErrorStats"]>("/api/errors/stats", { signal }));
    useEvery(10_000, stats.again);
    if (stats.error) return <ErrorNotice error={stats.error} again={stats.again} />;
    if (!stats.data) return <Loading what="Counting" />;
    const types = Object.entries(stats.data.error_types).sort(([, a], [, b]) => b - a);
    return (
        <div class="stack">
            <p>
                {count(stats.data.total_errors)} in {duration(stats.data.tracking_duration_minutes * 60)}, {stats.data.error_rate_per_minute.toFixed(1)} a minute.
            </p>
            <div class="row">
                {(["CRITICAL", "ERROR", "WARNING"] as const).map((level) => (
                    <Badge key={level} kind={stats.data!.error_counts[level] > 0 ? kinds[level] : "plain"}>
                        {level.toLowerCase()} {count(stats.data!.error_counts[level])}
                    </Badge>
                ))}
            </div>
            {types.length === 0 ? (
                <Empty icon="check" title="Nothing went wrong" />
            ) : (
                <Table
                    caption="What went wrong, by how often"
                    rows={types}
                    keyOf={([name]) => name}
                    columns={[
                        { name: "type", title: "Type", show: ([name]) => <code>{name}</code> },
                        { name: "count", title: "How often", numeric: true, show: ([, times]) => count(times) },
                    ]}
                />
            )}
        </div>
    );
}
