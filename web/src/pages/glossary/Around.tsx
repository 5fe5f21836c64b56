// What stands around each of the glossary's pages.
import type { ComponentChildren } from "preact";
import { useSession } from "../../session";
import { Badge, PageHead } from "../../ui/Small";
import { statusKind } from "./model";

export function Around(props: { title: string; lead?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
    const session = useSession();
    const places = [["/glossary", "Terms"], ["/glossary/candidates", "Found in documents"], ["/glossary/import", "Import"], ["/glossary/lookup", "DeepL and IATE"]] as const;
    return (
        <div class="glossary">
            {session.may("write_glossary") && (
                <nav class="glossary-nav" aria-label="Glossary">
                    {places.map(([path, text]) => (
                        <a key={path} href={path} aria-current={location.pathname === path ? "page" : undefined}>
                            {text}
                        </a>
                    ))}
                </nav>
            )}
            <PageHead title={props.title} actions={props.actions}>
                {props.lead}
            </PageHead>
            {props.children}
        </div>
    );
}

export function StatusBadge({ status }: { status: string }) {
    return <Badge kind={statusKind[status] ?? "plain"}>{status}</Badge>;
}
