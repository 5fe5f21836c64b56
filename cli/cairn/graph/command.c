/* cairn graph: its commands as a table. */
#include "cli/cairn/graph/graph.h"

/* clang-format off */
#define JSON_OPTION {.name = "json", .help = "the answer as it is"}
#define LINES_OPTION {.name = "json", .help = "an object a line"}
#define MAX_OPTION(most_, help_)                                                         \
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,      \
     .most = (most_), .help = (help_)}
#define LABEL_OPTION(help_)                                                              \
    {.name = "label", .letter = 'l', .type = OPTION_TEXT, .value = "LABEL", .help = (help_)}
#define TYPE_OPTION                                                                      \
    {.name = "type", .letter = 't', .type = OPTION_TEXT, .value = "TYPE",                \
     .help = "only along relationships of this type"}
#define DIRECTION_OPTION                                                                 \
    {.name = "direction", .type = OPTION_CHOICE, .value = "WAY", .choices = "both out in",\
     .help = "as the relationships point"}
#define DEPTH_OPTION(name_, most_, help_)                                                \
    {.name = (name_), .type = OPTION_NUMBER, .value = "N", .least = 0, .most = (most_),  \
     .help = (help_)}
#define PROPERTY_OPTION                                                                  \
    {.name = "property", .letter = 'p', .type = OPTION_TEXT, .value = "NAME=VALUE",      \
     .repeated = true,                                                                   \
     .help = "numbers, true, false, null, lists and objects as in JSON, else a text"}
#define ID_OPTION                                                                        \
    {.name = "id", .type = OPTION_TEXT, .value = "ID", .help = "its id (default: made)"}
#define ACCESS_OPTIONS                                                                   \
    {.name = "clearance", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 5,    \
     .help = "who may see it: 1 everybody to 5"},                                        \
    {.name = "department", .letter = 'd', .type = OPTION_TEXT, .value = "NAME",          \
     .help = "whose it is"}
#define EDGE_OPTION {.name = "edge", .letter = 'e', .help = "it is a relationship"}
#define VERSION_OPTION                                                                   \
    {.name = "version", .type = OPTION_NUMBER, .value = "N", .least = 1,                 \
     .most = 9007199254740991, .help = "only while it is of this version"}
#define FORMAT_OPTION(help_)                                                             \
    {.name = "format", .letter = 'f', .type = OPTION_CHOICE, .value = "FORMAT",          \
     .choices = "ndjson csv graphml", .help = (help_)}

static const struct option_row json_options[] = {JSON_OPTION, {0}};
static const struct option_row nodes_options[] = {
    {.name = "sort", .type = OPTION_TEXT, .value = "PROPERTY",
     .help = "in its order; --sort=-PROPERTY: descending"},
    {.name = "where", .letter = 'w', .type = OPTION_TEXT, .value = "NAME=VALUE",
     .repeated = true, .help = "only nodes whose property is this"},
    MAX_OPTION(1000000000, "so many at most (default: all)"),
    LINES_OPTION,
    {0}};
static const struct option_row search_options[] = {
    LABEL_OPTION("only nodes of this label"),
    {.name = "property", .letter = 'p', .type = OPTION_TEXT, .value = "NAME",
     .help = "look at this property, not at names"},
    MAX_OPTION(1000, "so many at most (default 20)"),
    JSON_OPTION,
    {0}};
static const struct option_row similar_options[] = {
    LABEL_OPTION("only nodes of this label"),
    MAX_OPTION(100, "so many at most (default 10)"),
    JSON_OPTION,
    {0}};
static const struct option_row neighbour_options[] = {
    TYPE_OPTION, DIRECTION_OPTION, LABEL_OPTION("only to nodes of this label"),
    MAX_OPTION(1000000000, "so many at most (default: all)"),
    LINES_OPTION,
    {0}};
static const struct option_row path_options[] = {
    TYPE_OPTION, DIRECTION_OPTION,
    DEPTH_OPTION("max-depth", 100, "the longest path (default 6, with a weight 100)"),
    {.name = "weight", .type = OPTION_TEXT, .value = "PROPERTY",
     .help = "the cheapest by this property of relationships, not the shortest"},
    {.name = "k", .letter = 'k', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 50, .help = "so many of the cheapest (default 1)"},
    JSON_OPTION,
    {0}};
static const struct option_row paths_options[] = {
    TYPE_OPTION, DIRECTION_OPTION,
    DEPTH_OPTION("max-depth", 10, "the longest path (default 4)"),
    DEPTH_OPTION("limit", 200, "most paths (default 20)"),
    JSON_OPTION,
    {0}};
static const struct option_row subgraph_options[] = {
    DEPTH_OPTION("depth", 10, "how far from the root (default 2)"),
    DEPTH_OPTION("limit", 5000, "most nodes (default 200)"),
    TYPE_OPTION, DIRECTION_OPTION, LABEL_OPTION("only through nodes of this label"),
    JSON_OPTION,
    {0}};
static const struct option_row query_options[] = {
    {.name = "param", .letter = 'p', .type = OPTION_TEXT, .value = "NAME=VALUE",
     .repeated = true,
     .help = "a parameter, $NAME in the query; numbers, true, false, null, lists and "
             "objects as in JSON, else a text"},
    MAX_OPTION(1000000, "most rows"),
    {.name = "timeout", .type = OPTION_NUMBER, .value = "MS", .least = 1,
     .most = 3600000, .help = "milliseconds that it may take"},
    JSON_OPTION,
    {0}};
static const struct option_row create_options[] = {
    ID_OPTION, PROPERTY_OPTION,
    {.name = "type", .letter = 't', .type = OPTION_TEXT, .value = "TYPE",
     .help = "makes a relationship: its type,"},
    {.name = "from", .type = OPTION_TEXT, .value = "ID", .help = "the node it begins at,"},
    {.name = "to", .type = OPTION_TEXT, .value = "ID", .help = "and the one it leads to"},
    ACCESS_OPTIONS,
    JSON_OPTION,
    {0}};
static const struct option_row merge_options[] = {
    {.name = "key", .letter = 'k', .type = OPTION_TEXT, .value = "NAME=VALUE",
     .repeated = true, .help = "by what the node is known; as properties are"},
    PROPERTY_OPTION,
    {.name = "label", .letter = 'l', .type = OPTION_TEXT, .value = "LABEL",
     .repeated = true, .help = "another label that it gets"},
    ACCESS_OPTIONS,
    JSON_OPTION,
    {0}};
static const struct option_row update_options[] = {
    PROPERTY_OPTION,
    {.name = "label", .letter = 'l', .type = OPTION_TEXT, .value = "LABEL",
     .repeated = true, .help = "a label that it gets"},
    {.name = "replace", .help = "what is not named goes"},
    EDGE_OPTION,
    ACCESS_OPTIONS,
    VERSION_OPTION,
    JSON_OPTION,
    {0}};
static const struct option_row delete_options[] = {
    {.name = "detach", .help = "with its relationships; else it must have none"},
    EDGE_OPTION,
    VERSION_OPTION,
    {0}};
static const struct option_row analyse_options[] = {
    LABEL_OPTION("only of nodes of this label"),
    TYPE_OPTION,
    {.name = "write-property", .type = OPTION_TEXT, .value = "NAME",
     .help = "each node gets what was computed as this property"},
    {.name = "param", .letter = 'p', .type = OPTION_TEXT, .value = "NAME=VALUE",
     .repeated = true,
     .help = "direction, damping, tolerance, max_iterations, resolution or top"},
    {.name = "no-wait", .help = "only begin it, for `cairn jobs watch`"},
    {.name = "json", .help = "a line for each change"},
    {0}};
static const struct option_row import_options[] = {
    FORMAT_OPTION("what the files are (default: by their endings)"),
    {.name = "job", .letter = 'j', .help = "as a job, as files from 32 MB on are"},
    {.name = "stream", .help = "not as a job, however large"},
    {.name = "no-wait", .help = "as a job that is only begun, for `cairn jobs watch`"},
    {.name = "json", .help = "the lines of the answer, or a line for each change of the job"},
    {0}};
static const struct option_row export_options[] = {
    FORMAT_OPTION("default: ndjson"),
    LABEL_OPTION("only nodes of this label, and what joins them"),
    {.name = "output", .letter = 'o', .type = OPTION_FILE, .value = "PATH",
     .help = "where to; - or absent: standard output"},
    {0}};

static const struct command subs[] = {
    {.name = "schema", .summary = "Tell which labels and types there are",
     .options = json_options, .run = graph_run_schema},
    {.name = "labels", .summary = "Count the nodes of each label",
     .options = json_options, .run = graph_run_labels},
    {.name = "nodes", .arguments = "LABEL", .summary = "List the nodes of a label",
     .options = nodes_options, .run = graph_run_nodes, .least = 1, .most = 1},
    {.name = "node", .arguments = "ID", .summary = "Show a node",
     .options = json_options, .run = graph_run_node, .least = 1, .most = 1},
    {.name = "edge", .arguments = "ID", .summary = "Show a relationship",
     .options = json_options, .run = graph_run_edge, .least = 1, .most = 1},
    {.name = "search", .arguments = "WORD...", .summary = "Find nodes by their names",
     .details = "Case and accents do not matter, a longer word may have a mistake, the "
                "last one may be begun only.",
     .options = search_options, .run = graph_run_search, .least = 1, .most = -1},
    {.name = "similar", .arguments = "ID", .summary = "Find nodes with texts like this",
     .options = similar_options, .run = graph_run_similar, .least = 1, .most = 1},
    {.name = "neighbours", .arguments = "ID", .summary = "List what a node is joined to",
     .options = neighbour_options, .run = graph_run_neighbours, .least = 1, .most = 1},
    {.name = "path", .arguments = "FROM TO", .summary = "Find a shortest path, or the cheapest",
     .details = "Exit status 1 when there is none.",
     .options = path_options, .run = graph_run_path, .least = 2, .most = 2},
    {.name = "paths", .arguments = "FROM TO", .summary = "Find all paths up to a length",
     .details = "Exit status 1 when there is none.",
     .options = paths_options, .run = graph_run_paths, .least = 2, .most = 2},
    {.name = "subgraph", .arguments = "ID", .summary = "List what lies around a node",
     .options = subgraph_options, .run = graph_run_subgraph, .least = 1, .most = 1},
    {.name = "query", .arguments = "CYPHER", .summary = "Ask in openCypher",
     .details = "CYPHER may be - for standard input.",
     .options = query_options, .run = graph_run_query, .least = 1, .most = 1},
    {.name = "create", .arguments = "[LABEL]...", .summary = "Make a node or a relationship",
     .details = "A node with these labels; with --type, --from and --to a relationship.",
     .options = create_options, .run = graph_run_create, .most = -1},
    {.name = "merge", .arguments = "LABEL", .summary = "Change the node with a key, or make it",
     .details = "The node of this label with the properties of --key gets the rest; two at "
                "once make one.",
     .options = merge_options, .run = graph_run_merge, .least = 1, .most = 1},
    {.name = "update", .arguments = "ID", .summary = "Change a node or a relationship",
     .details = "What is not named stays; a property that is null goes.",
     .options = update_options, .run = graph_run_update, .least = 1, .most = 1},
    {.name = "delete", .arguments = "ID...", .summary = "Delete nodes or relationships",
     .options = delete_options, .run = graph_run_delete, .least = 1, .most = -1},
    {.name = "analyse", .arguments = "KIND", .summary = "Compute something of the whole graph",
     .details = "KIND is degree, pagerank, components or communities. It is a job, which "
                "is followed to its end; interrupted, it goes on.",
     .options = analyse_options, .run = graph_run_analyse, .least = 1, .most = 1},
    {.name = "import", .arguments = "FILE...", .summary = "Store nodes and relationships",
     .details = "Files of NDJSON, CSV (with the heads of Neo4j's import) or GraphML, one "
                "after the other: what joins nodes comes after them. The same again "
                "changes nothing. What is refused is told, and does not stop the rest. "
                "FILE may be - for standard input, with --format.",
     .options = import_options, .run = graph_run_import, .kind = ARGUMENT_PATH,
     .least = 1, .most = -1},
    {.name = "export", .summary = "Write the graph as a file",
     .options = export_options, .run = graph_run_export},
    {0}};
/* clang-format on */

const struct command graph_command = {
    .name = "graph", .summary = "Explore, query and change the graph", .subs = subs};
