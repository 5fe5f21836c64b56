import type { PageProps } from "../../areas";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { Empty } from "../../ui/States";

export default function Page(_: PageProps) {
    useTitle("Graph");
    return (
        <>
            <PageHead title="Graph" />
            <Empty icon="graph" title="This area has no page yet">
                The API has all of it: <a href="/docs">/docs</a>
            </Empty>
        </>
    );
}
