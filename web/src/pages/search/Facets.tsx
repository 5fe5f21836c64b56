// What narrows a search, with how many passages have it.
import { api } from "../../api";
import type { Schemas } from "../../api";
import { setQuery } from "../../router";
import { useSession } from "../../session";
import { Button } from "../../ui/Button";
import { SelectField } from "../../ui/Field";
import { count } from "../../ui/format";
import { useLoad } from "../../ui/hooks";
import { alternatives, facetsOf, isFiltered } from "./query";
import type { Answer, Facet, Search } from "./query";

function Group({ facet, chosen }: { facet: Facet; chosen: string | undefined }) {
    return (
        <section class="facet" aria-label={facet.title}>
            <h2>{facet.title}</h2>
            <ul>
                {facet.values.map(({ value, count: n }) => (
                    <li key={value}>
                        <button
                            type="button"
                            aria-pressed={value === chosen}
                            onClick={() => setQuery({ ["f." + facet.name]: value === chosen ? null : value, page: null })}
                        >
                            <span class="cut">{value}</span>
                            <span class="facet-count">{count(n)}</span>
                        </button>
                    </li>
                ))}
            </ul>
        </section>
    );
}

function Collections({ chosen }: { chosen: string }) {
    const session = useSession();
    const may = session.may("read_documents");
    const { data } = useLoad(may ? "collections" : null, (signal) =>
        api.get<Schemas["CollectionPage"]>("/api/collections", { query: { per_page: 100 }, signal }),
    );
    const list = data?.collections ?? [];
    if (!may && !chosen) return null; // else it keeps its place while they are on their way
    const choices = [
        { value: "", text: "All collections" },
        ...list.map((one) => ({ value: one.name, text: `${one.title || one.name} (${count(one.documents)})` })),
    ];
    if (chosen && !list.some((one) => one.name === chosen)) choices.push({ value: chosen, text: chosen });
    return (
        <SelectField
            label="Collection"
            choices={choices}
            value={chosen}
            onChange={(event) => setQuery({ collection: event.currentTarget.value, page: null })}
        />
    );
}

export function Facets({ search, answer }: { search: Search; answer: Answer | null }) {
    const { me } = useSession();
    const chosen = Object.keys(search.facets).length > 0;
    const others = useLoad(chosen ? JSON.stringify([me?.user_id, search.q, search.mode, search.collection, search.facets]) : null, (signal) =>
        alternatives(me, search, signal),
    );
    const facets = facetsOf(answer?.facets?.fields ?? [], search.facets, chosen ? (others.data ?? []) : []);
    const clear = Object.fromEntries(Object.keys(search.facets).map((name) => ["f." + name, null]));
    return (
        <div class="facets">
            <Collections chosen={search.collection} />
            {facets.map((facet) => (
                <Group key={facet.name} facet={facet} chosen={search.facets[facet.name]} />
            ))}
            {facets.length > 0 && answer?.facets && (
                <p class="quiet small">
                    {answer.facets.over === "matches"
                        ? "Counted over every passage that was found."
                        : "Counted over every passage with your words, and those that come closest in meaning."}
                </p>
            )}
            {isFiltered(search) && <Button onClick={() => setQuery({ ...clear, collection: null, page: null })}>Remove all filters</Button>}
        </div>
    );
}
