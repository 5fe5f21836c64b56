import type { PageProps } from "../../areas";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { Empty } from "../../ui/States";

export default function Page(_: PageProps) {
    useTitle("Documents");
    return (
        <>
            <PageHead title="Documents" />
            <Empty icon="documents" title="This area has no page yet">
                The API has all of it: <a href="/docs">/docs</a>
            </Empty>
        </>
    );
}
