/* Routes: the graph. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

/* clang-format off */
static const struct route_param label_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 1000; 20 when absent"},
    {"sort", "string", "a property; -name for descending"},
    {"prop.NAME", "string", "only nodes whose property NAME is this"},
    {0}};
#define WAY_PARAMS                                                                       \
    {"direction", "string", "both, out or in"},                                          \
    {"type", "string", "only along relationships of this type"}
static const struct route_param neighbour_params[] = {
    WAY_PARAMS,
    {"label", "string", "only to nodes of this label"},
    {"limit", "integer", "1 to 1000; 20 when absent"},
    {"cursor", "string", "next_cursor of the page before"},
    {0}};
static const struct route_param similar_params[] = {
    {"label", "string", "only nodes of this label"},
    {"limit", "integer", "1 to 100; 10 when absent"},
    {0}};
static const struct route_param path_params[] = {
    {"from", "string", "the node at the start"},
    {"to", "string", "the node at the end"},
    {"max_depth", "integer",
     "longest path, 1 to 100; when absent 6, or 100 with a weight"},
    WAY_PARAMS,
    {"weight", "string",
     "a property that says what a relationship costs, 0 or more; without it, it is no way"},
    {"k", "integer", "so many of the cheapest paths, 1 to 50; 1 when absent"},
    {0}};
static const struct route_param paths_params[] = {
    {"from", "string", "the node at the start"},
    {"to", "string", "the node at the end"},
    {"max_depth", "integer", "longest path, 1 to 10; 4 when absent"},
    {"limit", "integer", "most paths, 1 to 200; 20 when absent"},
    WAY_PARAMS,
    {0}};
static const struct route_param subgraph_params[] = {
    {"root", "string", "the node in the middle"},
    {"depth", "integer", "0 to 10; 2 when absent"},
    {"limit", "integer", "most nodes, 1 to 5000; 200 when absent"},
    WAY_PARAMS,
    {"label", "string", "only through nodes of this label"},
    {0}};
#define REFRESH_PARAM                                                                    \
    {"refresh", "string", "true: when all replicas show it; false: when it is stored"}
#define VERSION_PARAM                                                                    \
    {"version", "integer", "only if it is still of this version; else 409"}
static const struct route_param create_params[] = {REFRESH_PARAM, {0}};
static const struct route_param put_params[] = {
    {"merge", "boolean", "true: what is not named stays; a property that is null goes"},
    VERSION_PARAM,
    REFRESH_PARAM,
    {0}};
static const struct route_param node_delete_params[] = {
    {"detach", "boolean", "true: with its relationships; else it must have none"},
    VERSION_PARAM,
    REFRESH_PARAM,
    {0}};
#define FORMAT_PARAM(absent)                                                             \
    {"format", "string", "ndjson, csv or graphml; absent: " absent}
static const struct route_param import_params[] = {
    FORMAT_PARAM("as Content-Type says"),
    {"job", "boolean", "true: stored by a job; answers 202 and which, when all is there"},
    {"file_name", "string", "what the file is called; its job shows it"},
    REFRESH_PARAM,
    {0}};
static const struct route_param export_params[] = {
    FORMAT_PARAM("ndjson"),
    {"label", "string", "only nodes of this label, and what joins them"},
    {0}};
static const struct route_param edge_delete_params[] = {VERSION_PARAM, REFRESH_PARAM, {0}};
static const struct route_param search_params[] = {
    {"q", "string", "words of the name; the last may be begun only"},
    {"label", "string", "only nodes of this label"},
    {"property", "string", "look at this property, not at names"},
    {"page", "integer", "from 1"},
    {"limit", "integer", "1 to 1000 a page; 20 when absent"},
    {0}};
/* clang-format on */

static const struct route routes[] = {
    {ROUTE_GET, 200, "/api/graph/schema", "graph_schema", graph_schema, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "Labels, relationship types, counts", NULL,
     "GraphSchema"},
    {ROUTE_GET, 200, "/api/graph/labels", "graph_labels", graph_labels, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "Labels and how many nodes have them", NULL,
     "GraphLabels"},
    {ROUTE_GET, 200, "/api/graph/labels/{label}", "graph_label", graph_label_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "A page of the nodes of a label", label_params,
     "GraphNodePage"},
    {ROUTE_GET, 200, "/api/graph/nodes/{id}", "graph_node", graph_node_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "A node, and how many relationships it has", NULL,
     "GraphNodeDetail"},
    {ROUTE_GET, 200, "/api/graph/nodes/{id}/neighbors", "graph_neighbors",
     graph_neighbours_get, NULL, PERMIT_READ_GRAPH, 0, "Graph",
     "Relationships of a node and what they lead to", neighbour_params, "GraphNeighbors"},
    {ROUTE_GET, 200, "/api/graph/search", "graph_search", graph_search_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "Nodes by their names, the best first", search_params,
     "GraphFound"},
    {ROUTE_GET, 200, "/api/graph/nodes/{id}/similar", "graph_similar", graph_similar_get,
     NULL, PERMIT_READ_GRAPH, 0, "Graph", "Nodes whose texts are like that of a node",
     similar_params, "GraphSimilar"},
    {ROUTE_GET, 200, "/api/graph/path", "graph_path", graph_path_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "A shortest path between two nodes, or the cheapest",
     path_params, "GraphPath"},
    {ROUTE_GET, 200, "/api/graph/paths", "graph_paths", graph_paths_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "All paths between two nodes, the shorter ones first",
     paths_params, "GraphPaths"},
    {ROUTE_GET, 200, "/api/graph/subgraph", "graph_subgraph", graph_subgraph_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "What lies around a node", subgraph_params,
     "GraphSubgraph"},
    {ROUTE_POST, 200, "/api/graph/query", "graph_query", graph_query_post,
     &graph_query_schema, PERMIT_READ_GRAPH, 0, "Graph", "A query in openCypher", NULL,
     "GraphRows"},
    {ROUTE_POST, 201, "/api/graph/nodes", "create_graph_node", graph_node_post,
     &graph_node_schema, PERMIT_WRITE_GRAPH, ROUTE_LARGE_BODY, "Graph", "Make a node",
     create_params, "GraphStored"},
    {ROUTE_PUT, 200, "/api/graph/nodes/{id}", "put_graph_node", graph_node_put,
     &graph_node_schema, PERMIT_WRITE_GRAPH, ROUTE_LARGE_BODY, "Graph",
     "Make, replace or add to a node", put_params, "GraphStored"},
    {ROUTE_DELETE, 200, "/api/graph/nodes/{id}", "delete_graph_node", graph_node_delete,
     NULL, PERMIT_WRITE_GRAPH, 0, "Graph", "Delete a node", node_delete_params,
     "GraphDeleted"},
    {ROUTE_POST, 201, "/api/graph/edges", "create_graph_edge", graph_edge_post,
     &graph_edge_schema, PERMIT_WRITE_GRAPH, ROUTE_LARGE_BODY, "Graph",
     "Make a relationship", create_params, "GraphStored"},
    {ROUTE_GET, 200, "/api/graph/edges/{id}", "graph_edge", graph_edge_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "A relationship", NULL, "GraphEdge"},
    {ROUTE_PUT, 200, "/api/graph/edges/{id}", "put_graph_edge", graph_edge_put,
     &graph_edge_schema, PERMIT_WRITE_GRAPH, ROUTE_LARGE_BODY, "Graph",
     "Make, replace or add to a relationship", put_params, "GraphStored"},
    {ROUTE_DELETE, 200, "/api/graph/edges/{id}", "delete_graph_edge", graph_edge_delete,
     NULL, PERMIT_WRITE_GRAPH, 0, "Graph", "Delete a relationship", edge_delete_params,
     "GraphDeleted"},
    {ROUTE_POST, 201, "/api/graph/merge", "merge_graph_node", graph_merge_post,
     &graph_merge_schema, PERMIT_WRITE_GRAPH, ROUTE_LARGE_BODY, "Graph",
     "Find a node by a key and add to it, or make it", create_params, "GraphStored"},
    {ROUTE_POST, 202, "/api/graph/analysis", "graph_analysis", graph_analysis_post,
     &graph_analysis_schema, PERMIT_READ_GRAPH, 0, "Graph",
     "Degrees, PageRank, components or communities: a job", NULL, "GraphAnalysisJob"},
    {ROUTE_POST, 200, "/api/graph/import", "import_graph", graph_import_post, NULL,
     PERMIT_WRITE_GRAPH, ROUTE_UPLOAD | ROUTE_LINES, "Graph",
     "Store a stream of nodes and relationships; answers a line for each portion",
     import_params, "GraphImported"},
    {ROUTE_GET, 200, "/api/graph/export", "export_graph", graph_export_get, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "The graph as a stream", export_params,
     "application/octet-stream"},
};

const struct route_table routes_of_graph = {routes, SH_COUNT(routes)};
