// What there is to go to. Each area is loaded when somebody goes there.
import type { ComponentType } from "preact";
import type { IconName } from "./ui/Icon";

export interface PageProps {
    /** What follows the area in the path, decoded: /graph/nodes/x: ["nodes", "x"]. */
    rest: string[];
    query: URLSearchParams;
}

export interface Area {
    name: string;
    title: string;
    icon: IconName;
    key: string; // after "g"
    permission: string | null; // without it the area is not offered
    load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const areas: readonly Area[] = [
    { name: "search", title: "Search", icon: "search", key: "s", permission: "search", load: () => import("./pages/search/Page") },
    { name: "documents", title: "Documents", icon: "documents", key: "d", permission: "read_documents", load: () => import("./pages/documents/Page") },
    { name: "graph", title: "Graph", icon: "graph", key: "n", permission: "read_graph", load: () => import("./pages/graph/Page") },
    { name: "glossary", title: "Glossary", icon: "glossary", key: "l", permission: "read_glossary", load: () => import("./pages/glossary/Page") },
    { name: "operations", title: "Operations", icon: "operations", key: "o", permission: "operate", load: () => import("./pages/operations/Page") },
];

export const login: Pick<Area, "name" | "load"> = { name: "login", load: () => import("./pages/login/Page") };
