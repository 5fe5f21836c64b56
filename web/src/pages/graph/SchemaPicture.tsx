// Labels as circles, the larger the more nodes they have, with what joins them.
import { count } from "../../ui/format";
import { go } from "../../router";
import { colourOf, labelNames, labelPath } from "./model";
import type { Link, Schema } from "./model";

const MOST = 24; // more can be told apart in the table only
const WIDTH = 1000;
const HEIGHT = 560;

interface Spot {
    name: string;
    count: number;
    x: number;
    y: number;
    r: number;
}

export function spotsOf(schema: Schema): Spot[] {
    const labels = [...schema.labels].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, MOST);
    const most = Math.max(1, ...labels.map((one) => one.count));
    const large = labels.length > 12 ? 34 : labels.length > 6 ? 48 : 60;
    return labels.map((one, i) => {
        const angle = (2 * Math.PI * i) / labels.length - Math.PI / 2;
        const alone = labels.length === 1;
        return {
            name: one.name,
            count: one.count,
            x: WIDTH / 2 + (alone ? 0 : Math.cos(angle) * 380),
            y: HEIGHT / 2 + (alone ? 0 : Math.sin(angle) * 205),
            r: large * (0.45 + 0.55 * (Math.log1p(one.count) / Math.log1p(most))),
        };
    });
}

/** From edge to edge of two circles, bent so that there and back are two lines. */
function line(a: Spot, b: Spot): { path: string; x: number; y: number } {
    if (a === b) {
        const out = a.y < HEIGHT / 2 ? -1 : 1; // away from the middle
        const y = a.y + out * a.r * 0.8;
        const far = a.y + out * (a.r + 44);
        return {
            path: `M${a.x - a.r * 0.6} ${y}C${a.x - 50} ${far} ${a.x + 50} ${far} ${a.x + a.r * 0.6} ${y}`,
            x: a.x,
            y: a.y + out * (a.r + 40),
        };
    }
    const dx = b.x - a.x;
    const dy = b.y - a.y;
    const far = Math.hypot(dx, dy) || 1;
    const bend = far * 0.12;
    const mx = (a.x + b.x) / 2 - (dy / far) * bend;
    const my = (a.y + b.y) / 2 + (dx / far) * bend;
    const at = (from: Spot, gap: number) => {
        const long = Math.hypot(mx - from.x, my - from.y) || 1;
        return [from.x + ((mx - from.x) / long) * (from.r + gap), from.y + ((my - from.y) / long) * (from.r + gap)];
    };
    const [x1, y1] = at(a, 2) as [number, number];
    const [x2, y2] = at(b, 9) as [number, number];
    return { path: `M${x1} ${y1}Q${mx} ${my} ${x2} ${y2}`, x: (x1 + 2 * mx + x2) / 4, y: (y1 + 2 * my + y2) / 4 };
}

function wordsOf(types: readonly string[]): string {
    return types.length <= 2 ? types.join(", ") : `${types.slice(0, 2).join(", ")} +${types.length - 2}`;
}

/** The table beside it says the same: the picture is left out for readers. */
export function SchemaPicture({ schema, links }: { schema: Schema; links: readonly Link[] }) {
    const spots = spotsOf(schema);
    const byName = new Map(spots.map((spot) => [spot.name, spot]));
    const names = labelNames(schema);
    const words = links.length <= 40; // more would lie upon each other
    return (
        <figure class="schema-picture">
            <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false">
                <defs>
                    <marker id="schema-arrow" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
                        <path class="schema-arrow" d="M0 0 10 5 0 10z" />
                    </marker>
                </defs>
                {links.map((link) => {
                    const from = byName.get(link.from);
                    const to = byName.get(link.to);
                    if (!from || !to) return null;
                    const way = line(from, to);
                    return (
                        <g key={link.from + "\n" + link.to}>
                            <path class="schema-line" d={way.path} marker-end="url(#schema-arrow)" />
                            {words && (
                                <text class="schema-type" x={way.x} y={way.y} text-anchor="middle" dominant-baseline="middle">
                                    {wordsOf(link.types)}
                                </text>
                            )}
                        </g>
                    );
                })}
                {spots.map((spot) => (
                    <g key={spot.name} class={`schema-spot colour-${colourOf(spot.name, names) + 1}`} onClick={() => go(labelPath(spot.name))}>
                        <circle cx={spot.x} cy={spot.y} r={spot.r} />
                        <text class="schema-count" x={spot.x} y={spot.y} text-anchor="middle" dominant-baseline="central">
                            {count(spot.count)}
                        </text>
                        <text class="schema-name" x={spot.x} y={spot.y + spot.r + 17} text-anchor="middle">
                            {spot.name.length > 24 ? spot.name.slice(0, 23) + "…" : spot.name}
                        </text>
                    </g>
                ))}
            </svg>
            <figcaption class="small quiet">
                {schema.labels.length > MOST
                    ? `The ${MOST} labels with most nodes; the table has all ${count(schema.labels.length)}.`
                    : "A label is the larger the more nodes it has. Choose one to see its nodes; the tables below say the same in words."}
            </figcaption>
        </figure>
    );
}
