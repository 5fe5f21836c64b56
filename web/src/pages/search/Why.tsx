// Why a passage was found: a sentence first, the figures on demand.
import type { ComponentChildren } from "preact";
import type { Answer, Result } from "./query";
import { count, counted } from "../../ui/format";
import { askedWords, standingIn } from "../../ui/question";

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

export function textsOf(result: Result): string[] {
    return [result.document_title, result.section_title, result.text];
}

/** What the glossary added is found like what was asked. */
function inWords(result: Result, answer: Answer, why: Explanation): string {
    const words = askedWords(answer.query);
    const added = answer.expanded.flatMap((one) => one.added);
    const there = standingIn([...words, ...added], textsOf(result));
    const missing = words.filter((word) => !there.has(word));
    const said: string[] = [];
    if (there.size > 0) said.push(`Found because it has: ${[...there].join(", ")}.`);
    if (there.size > 0 && missing.length > 0) said.push(`Not in it: ${missing.join(", ")}.`);
    if (why.vector?.score !== undefined) said.push(there.size > 0 ? "Its meaning counts, too." : "Found by its meaning: it has none of your words.");
    const boosted = Object.entries(why.boosts ?? {}).filter(([, value]) => value > 0);
    if (boosted.length > 0) said.push(`It stands higher for its ${boosted.map(([name]) => name.replaceAll("_", " ")).join(" and ")}.`);
    return said.join(" ");
}

export function Why({ result, answer }: { result: Result; answer: Answer }) {
    const why = result.explanation as Explanation;
    return (
        <div class="why">
            <p>{inWords(result, answer, why)}</p>
            <details>
                <summary>Figures</summary>
                <Figures result={result} why={why} />
            </details>
        </div>
    );
}

function Figures({ result, why }: { result: Result; why: Explanation }) {
    const boosts = Object.entries(why.boosts ?? {}).filter(([, value]) => value !== 0);
    return (
        <dl class="figures">
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
    const matched = plan.text?.matched;
    return (
        <div class="why why-plan">
            {matched !== undefined && <p>{matched === 0 ? "No passage has a word of yours." : `${counted(matched, "passage")} with at least one of your words.`}</p>}
            <details>
                <summary>Figures</summary>
                <dl class="figures">
                    {plan.text && <Row name="Words, as they are indexed">{(plan.text.terms ?? []).join(", ") || "none"}</Row>}
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
            </details>
        </div>
    );
}
