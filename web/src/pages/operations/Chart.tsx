// A small line over the last hour. Drawn with attributes only: the policy allows no styles
// within the page.

const WIDTH = 240;
const HEIGHT = 56;

export interface Line {
    label: string;
    values: readonly (number | null)[]; // oldest first
    show: (value: number) => string;
    said: string; // beside the name
    most?: number; // the top of the scale, where it is known
    least?: boolean; // the lowest is what matters of it
}

function path(values: readonly (number | null)[], most: number): string {
    const step = WIDTH / Math.max(1, values.length - 1);
    let text = "";
    let pen = "M";
    values.forEach((value, i) => {
        if (value === null) {
            pen = "M";
            return;
        }
        const alone = pen === "M" && (values[i + 1] ?? null) === null;
        text += `${pen}${(i * step).toFixed(1)} ${(HEIGHT - 2 - (HEIGHT - 4) * Math.min(1, value / most)).toFixed(1)}${alone ? "l0 0" : ""}`; // a dot
        pen = "L";
    });
    return text;
}

export function Chart({ label, values, show, said, most, least }: Line) {
    const known = values.filter((value): value is number => value !== null);
    const top = most ?? 1.25 * Math.max(...known, Number.EPSILON);
    const worst = () => (least ? `least ${show(Math.min(...known))}` : `most ${show(Math.max(...known))}`);
    return (
        <figure class="chart">
            <figcaption>
                <span class="quiet small">{label}</span>
                <span class="chart-now">{said}</span>
            </figcaption>
            <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${label}: ${said}, ${known.length > 0 ? worst() : "nothing known"}`} preserveAspectRatio="none">
                <path d={path(values, top)} class="chart-line" vector-effect="non-scaling-stroke" />
            </svg>
        </figure>
    );
}
