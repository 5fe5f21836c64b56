import type { PageProps } from "../../areas";
import { go } from "../../router";
import { useSession } from "../../session";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { Empty } from "../../ui/States";
import { Tabs } from "../../ui/Tabs";
import { Collections } from "./Collections";
import { deletionsOf } from "./deletion";
import { DocumentPage } from "./Document";
import { Jobs } from "./Jobs";
import { List } from "./List";
import "./documents.css";

const tabs = [
    { id: "documents", text: "Documents" },
    { id: "jobs", text: "Jobs" },
    { id: "collections", text: "Collections" },
];

function Overview({ query }: { query: URLSearchParams }) {
    const chosen = tabs.find((one) => one.id === query.get("tab")) ?? tabs[0]!;
    useTitle(chosen.text);
    return (
        <>
            <PageHead title="Documents" />
            <Tabs label="What there is" tabs={tabs} chosen={chosen.id} onChoose={(tab) => go("/documents" + (tab === "documents" ? "" : `?tab=${tab}`))}>
                {chosen.id === "documents" && <List query={query} />}
                {chosen.id === "jobs" && <Jobs query={query} />}
                {chosen.id === "collections" && <Collections query={query} />}
            </Tabs>
        </>
    );
}

// Ids are any text, so jobs and collections are no path of their own but a parameter.
export default function Page({ rest, query }: PageProps) {
    const [id] = rest;
    deletionsOf(useSession().me?.user_id ?? "");
    if (!id) return <Overview query={query} />;
    if (rest.length === 1) return <DocumentPage key={id} id={id} query={query} />;
    return (
        <Empty icon="documents" title="There is no page at this address">
            <a href="/documents">Go to the documents</a>
        </Empty>
    );
}
