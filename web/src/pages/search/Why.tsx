// How a score came about, and what the search did to find it.
import type { ComponentChildren } from "preact";
import type { Answer, Result } from "./query";
import { count } from "../../ui/format";

interface Leg {
    score?: number;
    normalised?: number;
    weight?: number;
    rank?: number;
}

interface Explanation {
    text?: Leg | null;
    vector?: Leg | null;
    fusion?: string;
    score?: number;
    score_weight?: number;
    boosts?: Record<string, number>;
    combined?: number;
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
    return (
        <div>
            <dt>{name}</dt>
            <dd>{children}</dd>
        </div>
    );
}

function leg(of: Leg | null | undefined, what: string): string {
    if (!of || of.score === undefined) return "not found by it";
    const parts = [`${what} ${of.score.toFixed(3)}`];
    if (of.rank) parts.push(`place ${count(of.rank)}`);
    if (of.weight !== undefined) parts.push(`counts ${(of.weight * 100).toFixed(0)} %`);
    return parts.join(", ");
}

export function Why({ result }: { result: Result }) {
    const why = result.explanation as Explanation;
    const boosts = Object.entries(why.boosts ?? {}).filter(([, value]) => value !== 0);
    return (
        <dl class="why">
            <Row name="Words">{leg(why.text, "BM25")}</Row>
            <Row name="Meaning">{leg(why.vector, "cosine")}</Row>
            {boosts.map(([name, value]) => (
                <Row key={name} name={"For its " + name}>
                    +{value.toFixed(3)}
                </Row>
            ))}
            <Row name="Together">
                {(why.combined ?? result.combined_score).toFixed(3)}
                {why.fusion ? `, by ${why.fusion === "rrf" ? "ranks" : "weighted sum"}` : ""}
            </Row>
        </dl>
    );
}

interface Plan {
    vector?: { strategy?: string; allowed?: number; scanned?: number; ef?: number };
    text?: { terms?: string[]; matched?: number };
    complete?: boolean;
    total_exact?: boolean;
}

const strategies: Record<string, string> = { exact: "all of them compared", hnsw: "by the graph of neighbours", none: "not asked" };

export function PlanNotes({ answer }: { answer: Answer }) {
    const plan = (answer.plan ?? {}) as Plan;
    return (
        <dl class="why why-plan">
            {plan.text && (
                <Row name="Words">
                    {(plan.text.terms ?? []).join(", ") || "none"}
                    {plan.text.matched !== undefined ? `; in ${count(plan.text.matched)} passages` : ""}
                </Row>
            )}
            {plan.vector && (
                <Row name="Meaning">
                    {strategies[plan.vector.strategy ?? ""] ?? plan.vector.strategy ?? "not asked"}
                    {plan.vector.scanned !== undefined ? `; ${count(plan.vector.scanned)} of ${count(plan.vector.allowed ?? 0)} passages` : ""}
                </Row>
            )}
            <Row name="Request">
                <code>{answer.request_id}</code>
            </Row>
        </dl>
    );
}
