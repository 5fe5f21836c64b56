import type { PageProps } from "../../areas";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { Empty } from "../../ui/States";

export default function Page(_: PageProps) {
    useTitle("Glossary");
    return (
        <>
            <PageHead title="Glossary" />
            <Empty icon="glossary" title="This area has no page yet">
                The API has all of it: <a href="/docs">/docs</a>
            </Empty>
        </>
    );
}
