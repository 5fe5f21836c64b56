// One term: what it means, what else it is called, what others are to it, its status.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api";
import { go } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Dialog";
import { moment } from "../../ui/format";
import { asError, useLoad, useTitle } from "../../ui/hooks";
import { Icon } from "../../ui/Icon";
import { Badge, Card } from "../../ui/Small";
import { ErrorNotice, Loading } from "../../ui/States";
import { toast } from "../../ui/Toast";
import { Around, StatusBadge } from "./Around";
import { lookupPath } from "./Lookup";
import { bodyOf, languageName, mayWrite, steps, termPath, termUrl, wordsOf } from "./model";
import type { Status, Term } from "./model";
import { Relations } from "./Relations";

function Facts({ term }: { term: Term }) {
    const facts: [string, ComponentChildren][] = [
        ["Language", languageName(term.language)],
        ["Domain", term.domain],
        ["Part of speech", term.part_of_speech],
        ["Sense", term.sense],
        ["Source", term.source],
        ["Clearance", term.clearance_level === 1 ? "1 · everybody" : term.clearance_level],
        ["Department", term.department],
        ["Written", moment(term.created_at)],
        ["Changed", moment(term.updated_at)],
    ];
    const rest = Object.entries(term.metadata).filter(([name]) => !["synonyms", "acronym", "preferred"].includes(name));
    for (const [name, value] of rest) facts.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
    return (
        <dl class="term-facts">
            {facts
                .filter(([, value]) => value !== null && value !== undefined && value !== "")
                .map(([name, value]) => (
                    <div key={name}>
                        <dt>{name}</dt>
                        <dd class="break">{value}</dd>
                    </div>
                ))}
        </dl>
    );
}

function Meaning({ term }: { term: Term }) {
    const called = wordsOf(term.metadata.synonyms);
    const [acronym, preferred] = [wordsOf(term.metadata.acronym), wordsOf(term.metadata.preferred)];
    const lists: [string, string[]][] = [["Preferred", preferred], ["Also called", called], ["Abbreviation", acronym]];
    return (
        <Card title="Definition">
            <p class="term-definition break" lang={term.language}>
                {term.definition || <span class="quiet">Nobody has written what it means yet.</span>}
            </p>
            {lists
                .filter(([, words]) => words.length > 0)
                .map(([name, words]) => (
                    <p key={name} class="term-called">
                        <span class="quiet">{name}:</span>{" "}
                        {words.map((word) => (
                            <Badge key={word}>{word}</Badge>
                        ))}
                    </p>
                ))}
        </Card>
    );
}

export function TermPage({ id }: { id: string }) {
    const session = useSession();
    const { data, error, again } = useLoad(id, (signal) => api.get<Term>(termUrl(id), { signal }));
    const [busy, setBusy] = useState(false);
    const [asking, setAsking] = useState(false);
    useTitle(`${data?.term ?? "Term"} · Glossary`);
    const writes = data !== null && mayWrite(data, session.may);

    const run = async (what: () => Promise<void>) => {
        setBusy(true);
        try {
            await what();
        } catch (fault) {
            toast({ text: asError(fault).message, kind: "danger" });
        } finally {
            setBusy(false);
        }
    };
    const put = async (term: Term, status: Status) => {
        await api.put<Term>(termUrl(id), bodyOf({ ...term, status }));
        toast({ text: `“${term.term}” is ${status === "draft" ? "a draft" : status} now.` });
        again();
        document.querySelector<HTMLElement>("main h1")?.focus(); // the button is gone
    };
    const remove = async (term: Term) => {
        await api.del(termUrl(id));
        toast({
            text: `“${term.term}” is deleted.`,
            action: {
                label: "Write it again",
                run: () =>
                    void api
                        .post<Term>("/api/glossary", bodyOf(term))
                        .then((stored) => go(termPath(stored.id)))
                        .catch((fault: unknown) => void toast({ text: asError(fault).message, kind: "danger" })),
            },
        });
        go("/glossary", { replace: true });
    };

    return (
        <Around
            title={data?.term ?? "Term"}
            lead={
                data && (
                    <span class="row">
                        <StatusBadge status={data.status} />
                        <Badge kind="accent">{languageName(data.language)}</Badge>
                        {data.domain && <Badge>{data.domain}</Badge>}
                    </span>
                )
            }
            actions={
                data && (
                    <>
                        {session.may("validate_glossary") &&
                            session.may("write_glossary") &&
                            (steps[data.status] ?? []).map((step) => (
                                <Button key={step.to} kind={step.to === "validated" ? "primary" : "plain"} {...(step.to === "validated" ? { icon: "check" as const } : {})} busy={busy} onClick={() => void run(() => put(data, step.to))}>
                                    {step.text}
                                </Button>
                            ))}
                        {session.may("write_glossary") && (
                            <a class="button" href={lookupPath(data)}>
                                <Icon name="external" size={18} />
                                Look up elsewhere
                            </a>
                        )}
                        {writes && (
                            <>
                                <a class="button" href={termPath(id, "/edit")}>
                                    <Icon name="pencil" size={18} />
                                    Edit
                                </a>
                                <Button icon="trash" onClick={() => setAsking(true)}>
                                    Delete
                                </Button>
                            </>
                        )}
                    </>
                )
            }
        >
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the term" lines={8} />}
            {data && (
                <div class="term-page">
                    <div class="stack">
                        <Meaning term={data} />
                        <Relations term={data} writes={session.may("write_glossary")} />
                    </div>
                    <Card title="About this term">
                        <Facts term={data} />
                    </Card>
                </div>
            )}
            {asking && data && (
                <Confirm title={`Delete “${data.term}”?`} yes="Delete" busy={busy} onClose={() => setAsking(false)} onYes={() => void run(() => remove(data))}>
                    <p>Its relations go with it. The term can be written again afterwards, its relations cannot.</p>
                </Confirm>
            )}
        </Around>
    );
}
