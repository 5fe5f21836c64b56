import type { PageProps } from "../../areas";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/Small";
import { Empty } from "../../ui/States";

export default function Page(_: PageProps) {
    useTitle("Search");
    return (
        <>
            <PageHead title="Search" />
            <Empty icon="search" title="This area has no page yet" />
        </>
    );
}
