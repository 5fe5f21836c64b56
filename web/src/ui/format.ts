const numbers = new Intl.NumberFormat("en");
const moments = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

export function count(n: number): string {
    return numbers.format(n);
}

/** "1 passage", "2 passages". */
export function counted(n: number, one: string, many = one + "s"): string {
    return `${count(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    while (n >= 1000 && at < units.length - 1) {
        n /= 1000;
        at++;
    }
    return `${at === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[at]}`;
}

export function duration(seconds: number): string {
    if (seconds < 0.0995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.round((seconds % 86400) / 3600)} h`;
}

/** RFC 3339 or Unix seconds. */
export function moment(when: string | number | null | undefined): string {
    if (when === null || when === undefined || when === "") return "–";
    const date = new Date(typeof when === "number" ? when * 1000 : when);
    return Number.isNaN(date.getTime()) ? String(when) : moments.format(date);
}

export function day(when: string | null | undefined): string {
    if (!when) return "–";
    const date = new Date(when);
    return Number.isNaN(date.getTime()) ? when : days.format(date);
}

export function percent(share: number, digits = 0): string {
    return `${(share * 100).toFixed(digits)} %`;
}
