/* The tool `graph_neighbors`. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/mcp/tools.h"

static const char *const directions[] = {"both", "out", "in", NULL};

static const struct mcp_argument arguments[] = {
    {"id", MCP_TEXT, "Id of the node; or give its name.", .least = 1, .most = 500},
    {"name", MCP_TEXT, "Name of the node, or how it begins: the best match is taken.",
     .least = 1, .most = 500},
    {"direction", MCP_CHOICE, "Which relationships; both when absent.",
     .choices = directions},
    {"type", MCP_TEXT, "Only relationships of this type.", .least = 1, .most = 200},
    {"label", MCP_TEXT, "Only to nodes of this label.", .least = 1, .most = 200},
    {"limit", MCP_NUMBER, "Relationships, at most.", .least = 1, .most = 100,
     .fallback = 20},
    {"cursor", MCP_TEXT, "next_cursor of the answer before.", .least = 1, .most = 2000},
    {0}};

static bool refuse(struct mcp *self, const char *why)
{
    (void)snprintf(self->reply.error, sizeof(self->reply.error), "%s", why);
    return false;
}

static void begin_path(struct sh_buffer *path, const json_t *id)
{
    sh_buffer_text(path, "/api/graph/nodes/");
    api_segment(path, json_string_value(id));
}

/* The node that is meant; NULL after self->reply.error. */
static json_t *find_node(struct mcp *self, const json_t *given)
{
    struct sh_buffer path = {0};
    const char *name = mcp_text(given, "name");
    if (mcp_text(given, "id")) {
        begin_path(&path, json_object_get(given, "id"));
        return mcp_get(self, &path);
    }
    if (!name) {
        (void)refuse(self, "give id or name");
        return NULL;
    }
    sh_buffer_text(&path, "/api/graph/search?limit=1");
    api_query(&path, "q", name);
    json_t *answer = mcp_get(self, &path);
    json_t *node = json_incref(json_array_get(json_object_get(answer, "nodes"), 0));
    if (answer && !node)
        (void)refuse(self, "no node has such a name");
    json_decref(answer);
    return node;
}

/* "Ada (ada, Person)" */
static void write_node(struct sh_buffer *out, const json_t *node)
{
    const json_t *name = json_object_get(json_object_get(node, "properties"), "name");
    size_t i = 0;
    const json_t *label = NULL;
    mcp_write(out, name ? name : json_object_get(node, "id"));
    sh_buffer_text(out, " (");
    mcp_write(out, json_object_get(node, "id"));
    json_array_foreach(json_object_get(node, "labels"), i, label)
    {
        sh_buffer_text(out, ", ");
        mcp_write(out, label);
    }
    sh_buffer_text(out, ")");
}

static const json_t *node_of(const json_t *nodes, const json_t *id)
{
    size_t i = 0;
    const json_t *node = NULL;
    json_array_foreach(nodes, i, node)
    {
        if (json_equal(json_object_get(node, "id"), id))
            return node;
    }
    return NULL;
}

static void write_edges(struct sh_buffer *out, const json_t *answer, const json_t *id)
{
    size_t i = 0;
    const json_t *edge = NULL;
    json_array_foreach(json_object_get(answer, "edges"), i, edge)
    {
        bool away = json_equal(json_object_get(edge, "from"), id);
        const json_t *other = json_object_get(edge, away ? "to" : "from");
        const json_t *node = node_of(json_object_get(answer, "nodes"), other);
        sh_buffer_text(out, away ? "  -" : "  <-");
        mcp_write(out, json_object_get(edge, "type"));
        sh_buffer_text(out, away ? "-> " : "- ");
        if (node)
            write_node(out, node);
        else
            mcp_write(out, other);
        sh_buffer_text(out, "\n");
    }
    if (i == 0)
        sh_buffer_text(out, "  no such relationships\n");
    if (json_is_string(json_object_get(answer, "next_cursor"))) {
        sh_buffer_text(out, "There are more; go on with cursor ");
        mcp_write(out, json_object_get(answer, "next_cursor"));
        sh_buffer_text(out, "\n");
    }
}

static json_t *neighbours(struct mcp *self, const json_t *given, const json_t *id)
{
    static const char *const passed[] = {"direction", "type", "label", "cursor"};
    struct sh_buffer path = {0};
    char limit[24];
    (void)snprintf(limit, sizeof(limit), "%ld",
                   mcp_number(given, &mcp_graph_neighbors, "limit"));
    begin_path(&path, id);
    sh_buffer_text(&path, "/neighbors");
    for (size_t i = 0; i < SH_COUNT(passed); i++)
        api_query(&path, passed[i], mcp_text(given, passed[i]));
    api_query(&path, "limit", limit);
    return mcp_get(self, &path);
}

static bool run(struct mcp *self, const json_t *given, struct mcp_found *found)
{
    json_t *node = find_node(self, given);
    const json_t *id = json_object_get(node, "id");
    if (node && !json_is_string(id)) {
        json_decref(node);
        return refuse(self, "the server's answer has no node");
    }
    json_t *answer = node ? neighbours(self, given, id) : NULL;
    if (answer) {
        write_node(&found->text, node);
        sh_buffer_text(&found->text, "\n");
        mcp_write(&found->text, json_object_get(node, "properties"));
        sh_buffer_text(&found->text, "\n");
        write_edges(&found->text, answer, id);
        found->data = json_pack("{s:O}", "node", node);
        json_object_update(found->data, answer);
    }
    json_decref(node);
    json_decref(answer);
    return answer != NULL;
}

const struct mcp_tool mcp_graph_neighbors = {
    .name = "graph_neighbors",
    .title = "Look around in the graph",
    .help =
        "A node of the knowledge graph, by its id or its name, with its relationships "
        "and the nodes that they lead to.",
    .arguments = arguments,
    .run = run};
