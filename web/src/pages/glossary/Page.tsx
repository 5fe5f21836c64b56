import type { PageProps } from "../../areas";
import { useSession } from "../../session";
import { useTitle } from "../../ui/hooks";
import { Empty } from "../../ui/States";
import { Browse } from "./Browse";
import { Candidates } from "./Candidates";
import { EditTerm, NewTerm } from "./Form";
import { ImportPage } from "./Import";
import { LookupPage } from "./Lookup";
import { TermPage } from "./Term";
import "./glossary.css";

function Nothing({ why }: { why: string }) {
    useTitle("Glossary");
    return (
        <Empty icon="glossary" title={why}>
            <a href="/glossary">Go to the terms</a>
        </Empty>
    );
}

export default function Page({ rest, query }: PageProps) {
    const session = useSession();
    if (rest.length === 0) return <Browse query={query} />;
    const [kind, id, what] = rest;
    if (kind === "terms" && id && rest.length === 2) return <TermPage key={id} id={id} />;
    const writing = (kind === "terms" && id && what === "edit" && rest.length === 3) || (rest.length === 1 && ["new", "import", "candidates", "lookup"].includes(kind ?? ""));
    if (!writing) return <Nothing why="The glossary has no page at this address" />;
    if (!session.may("write_glossary")) return <Nothing why="Your role does not allow changes to the glossary" />;
    if (kind === "new") return <NewTerm query={query} />;
    if (kind === "import") return <ImportPage query={query} />;
    if (kind === "lookup") return <LookupPage key={query.toString()} query={query} />;
    if (kind === "candidates") return <Candidates query={query} />;
    return <EditTerm key={id} id={id!} />;
}
