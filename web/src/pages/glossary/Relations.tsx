// What other terms are to one: shown by kind, added and taken away.
import { useState } from "preact/hooks";
import { api } from "../../api";
import type { Schemas } from "../../api";
import { Button, IconButton } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { SelectField } from "../../ui/Field";
import { asError, useLoad } from "../../ui/hooks";
import { Badge, Card } from "../../ui/Small";
import { ErrorNotice, Loading, Notice } from "../../ui/States";
import { toast } from "../../ui/Toast";
import type { ApiError } from "../../api";
import { Finder } from "./Finder";
import { groupOf, groups, languageName, relationTypes, relationWords, termPath, termUrl } from "./model";
import type { Relation, Term } from "./model";

type Answer = Schemas["GlossaryRelations"];

/** All of them: a page after the other, up to what anybody can look at. */
async function allOf(id: string, signal: AbortSignal): Promise<{ relations: Relation[]; more: boolean }> {
    const relations: Relation[] = [];
    let cursor: string | undefined;
    for (let i = 0; i < 5; i++) {
        const answer: Answer = await api.get<Answer>(termUrl(id, "/relations"), { query: { limit: 200, cursor }, signal });
        relations.push(...answer.relations);
        cursor = answer.next_cursor;
        if (!cursor) break;
    }
    return { relations, more: cursor !== undefined };
}

function Add({ term, onClose, onAdded }: { term: Term; onClose: () => void; onAdded: () => void }) {
    const [type, setType] = useState<string>("SYNONYM_OF");
    const [to, setTo] = useState<Term | null>(null);
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<ApiError | null>(null);
    const save = async () => {
        if (!to) return;
        setBusy(true);
        setError(null);
        try {
            await api.post(termUrl(term.id, "/relations"), { type, to: to.id });
            onAdded();
            onClose();
        } catch (fault) {
            setError(asError(fault));
            setBusy(false);
        }
    };
    return (
        <Dialog
            title="Add a relation"
            onClose={onClose}
            actions={
                <>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button kind="primary" busy={busy} disabled={!to} onClick={() => void save()}>
                        Add
                    </Button>
                </>
            }
        >
            {error && <ErrorNotice error={error} />}
            <SelectField
                label={`“${term.term}”`}
                value={type}
                choices={relationTypes.map((one) => ({ value: one as string, text: relationWords[one] }))}
                onChange={(event) => setType(event.currentTarget.value)}
            />
            <Finder label="Other term" without={term.id} chosen={to} onChoose={setTo} />
        </Dialog>
    );
}

export function Relations({ term, writes }: { term: Term; writes: boolean }) {
    const [adding, setAdding] = useState(false);
    const { data, error, again } = useLoad(term.id, (signal) => allOf(term.id, signal));
    const change = async (what: () => Promise<unknown>, said: string, undo?: () => Promise<unknown>) => {
        try {
            await what();
            toast({ text: said, ...(undo ? { action: { label: "Undo", run: () => void change(undo, "It is there again.") } } : {}) });
            again();
            document.querySelector<HTMLElement>("[data-add-relation]")?.focus(); // the one that was pressed is gone
        } catch (fault) {
            toast({ text: asError(fault).message, kind: "danger" });
        }
    };
    const remove = (one: Relation) =>
        change(
            () => api.del(termUrl(term.id, "/relations"), { query: { type: one.type, to: one.to } }),
            `The relation to “${one.term ?? one.to}” is gone.`,
            () => api.post(termUrl(term.id, "/relations"), { type: one.type, to: one.to }),
        );
    const relations = data?.relations ?? [];
    const named = [...new Set([...groups, ...relations.map(groupOf)])];
    return (
        <Card
            title="Other terms"
            actions={
                writes && (
                    <Button icon="plus" data-add-relation onClick={() => setAdding(true)}>
                        Add a relation
                    </Button>
                )
            }
        >
            {error && <ErrorNotice error={error} again={again} />}
            {!data && !error && <Loading what="Loading the relations" lines={3} />}
            {data && relations.length === 0 && <p class="quiet">No other term is tied to this one.</p>}
            {data?.more && (
                <Notice>
                    <p>These are the first {relations.length}.</p>
                </Notice>
            )}
            {named.map((name) => {
                const own = relations.filter((one) => groupOf(one) === name);
                if (own.length === 0) return null;
                return (
                    <section key={name} class="relation-group" aria-label={name}>
                        <h3>{name}</h3>
                        <ul>
                            {own.map((one) => (
                                <li key={one.type + one.direction + one.to}>
                                    <a class="break" href={termPath(one.to ?? "")} lang={one.language}>
                                        {one.term ?? one.to}
                                    </a>
                                    {one.language && one.language !== term.language && <Badge kind="accent">{languageName(one.language)}</Badge>}
                                    {/* an abbreviation is tied from its own page */}
                                    {writes && one.direction !== "in" && <IconButton icon="close" label={`Remove the relation to ${one.term ?? one.to}`} onClick={() => void remove(one)} />}
                                </li>
                            ))}
                        </ul>
                    </section>
                );
            })}
            {adding && (
                <Add
                    term={term}
                    onClose={() => setAdding(false)}
                    onAdded={() => {
                        toast({ text: "The relation is there." });
                        again();
                    }}
                />
            )}
        </Card>
    );
}
