// The gateway's and the services' figures, as Prometheus has them, and what changes between
// two looks at them.

export interface Sample {
    at: number; // seconds
    values: Map<string, number>; // series with its labels: value
}

export function parse(text: string, at: number): Sample {
    const values = new Map<string, number>();
    for (const line of text.split("\n")) {
        if (line === "" || line.startsWith("#")) continue;
        const end = line.lastIndexOf(" ");
        values.set(line.slice(0, end), Number(line.slice(end + 1)));
    }
    return { at, values };
}

/** The sum over all series of that name whose labels contain `having`. */
export function sum(sample: Sample, name: string, having = ""): number {
    let total = 0;
    for (const [series, value] of sample.values)
        if ((series === name || series.startsWith(name + "{")) && series.includes(having)) total += value;
    return total;
}

export function perSecond(before: Sample, after: Sample, name: string, having = ""): number {
    const seconds = after.at - before.at;
    return seconds > 0 ? Math.max(0, sum(after, name, having) - sum(before, name, having)) / seconds : 0;
}

/** Seconds that this share of what was observed between two looks took at most; null: nothing was. */
export function quantile(before: Sample, after: Sample, name: string, share: number, having = ""): number | null {
    const counts = new Map<number, number>();
    for (const [series, value] of after.values) {
        const bound = series.startsWith(name + "_bucket{") && series.includes(having) && /le="([^"]+)"/.exec(series);
        if (!bound) continue;
        const edge = bound[1] === "+Inf" ? Infinity : Number(bound[1]);
        counts.set(edge, (counts.get(edge) ?? 0) + value - (before.values.get(series) ?? 0));
    }
    const edges = [...counts.keys()].sort((a, b) => a - b);
    const total = counts.get(Infinity) ?? 0;
    if (total <= 0) return null;
    const found = edges.find((edge) => (counts.get(edge) ?? 0) >= share * total) ?? Infinity;
    return found === Infinity ? (edges[edges.length - 2] ?? null) : found;
}
