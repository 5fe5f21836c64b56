/* Nodes of the graph, and what they are joined to. */
#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_json.h"
#include "services/gateway/handlers/handlers.h"

enum {
    PER_PAGE = 20,
    PER_PAGE_MAX = 1000,
    PAGE_MAX = 1000000,
    AROUND_DEPTH = 2,
    AROUND_DEPTH_MAX = 10,
    AROUND = 200,
    AROUND_MAX = 5000,
};

/* --- a node ----------------------------------------------------------------------- */

static void write_groups(struct sh_buffer *out, const struct graph_node_reply *reply)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < reply->groups_count; i++) {
        const struct graph_group *group = &reply->groups[i];
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        json_member_text(out, "type", group->type);
        json_member_text(out, "direction", sh_bytes_of(group->outgoing ? "out" : "in"));
        json_member(out, "count");
        json_u64(out, group->count);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

static void on_node(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_node_reply reply;
    uint64_t degree = 0;

    if (!exchange_decode(x, graph_node_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    if (reply.node_count == 1)
        graph_write_node_members(out, reply.node);
    json_member(out, "relationships");
    write_groups(out, &reply);
    for (size_t i = 0; i < reply.groups_count; i++)
        degree += reply.groups[i].count;
    json_member(out, "degree");
    json_u64(out, degree);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

void graph_node_get(struct exchange *x, void *unused)
{
    struct graph_ref ref;

    (void)unused;
    if (exchange_param_text(x, "id", GRAPH_ID_MAX, &ref.id))
        graph_ask(x, METHOD_GRAPH_NODE, graph_ref_desc(), &ref, on_node);
}

/* --- its neighbours --------------------------------------------------------------- */

static void on_neighbours(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_neighbours reply;

    if (!exchange_decode(x, graph_neighbours_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    graph_write_part(out, reply.nodes, reply.nodes_count, reply.edges, reply.edges_count);
    json_member(out, "next_cursor");
    if (reply.next.len > 0)
        json_text(out, reply.next);
    else
        sh_buffer_text(out, "null");
    sh_buffer_text(out, "}");
    audit_counted(&x->audit, reply.edges_count);
    exchange_answer(x, 200);
}

void graph_neighbours_get(struct exchange *x, void *unused)
{
    struct graph_neighbours_query query = {.limit = PER_PAGE};

    (void)unused;
    if (exchange_param_text(x, "id", GRAPH_ID_MAX, &query.id) &&
        graph_read_direction(x, &query.direction) &&
        exchange_query_text(x, "type", GRAPH_ASKED_MAX, &query.type) &&
        exchange_query_text(x, "label", GRAPH_ASKED_MAX, &query.label) &&
        exchange_query_text(x, "cursor", 64, &query.after) &&
        exchange_query_u32(x, "limit", 1, PER_PAGE_MAX, &query.limit))
        graph_ask(x, METHOD_GRAPH_NEIGHBOURS, graph_neighbours_query_desc(), &query,
                  on_neighbours);
}

/* --- around a node ---------------------------------------------------------------- */

static void on_subgraph(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_subgraph reply;

    if (!exchange_decode(x, graph_subgraph_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    graph_write_part(out, reply.nodes, reply.nodes_count, reply.edges, reply.edges_count);
    json_member(out, "truncated");
    json_bool(out, reply.truncated);
    sh_buffer_text(out, "}");
    audit_counted(&x->audit, reply.nodes_count);
    exchange_answer(x, 200);
}

void graph_subgraph_get(struct exchange *x, void *unused)
{
    struct graph_subgraph_query query = {.depth = AROUND_DEPTH, .limit = AROUND};

    (void)unused;
    if (!graph_read_required(x, "root", &query.root))
        return;
    x->audit.target = query.root;
    if (graph_read_direction(x, &query.direction) &&
        exchange_query_text(x, "type", GRAPH_ASKED_MAX, &query.type) &&
        exchange_query_text(x, "label", GRAPH_ASKED_MAX, &query.label) &&
        exchange_query_u32(x, "depth", 0, AROUND_DEPTH_MAX, &query.depth) &&
        exchange_query_u32(x, "limit", 1, AROUND_MAX, &query.limit))
        graph_ask(x, METHOD_GRAPH_SUBGRAPH, graph_subgraph_query_desc(), &query,
                  on_subgraph);
}

/* --- the nodes of a label --------------------------------------------------------- */

struct label_state {
    struct graph_label_query query;
    struct sh_bytes filters[32];
};

static void on_label(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct label_state *state = x->state;
    struct graph_node_page reply;

    if (!exchange_decode(x, graph_node_page_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    json_member_text(out, "label", state->query.label);
    json_member(out, "nodes");
    graph_write_nodes(out, reply.nodes, reply.nodes_count);
    json_pagination(out, state->query.page, state->query.per_page, reply.total);
    sh_buffer_text(out, "}");
    audit_counted(&x->audit, reply.nodes_count);
    exchange_answer(x, 200);
}

/* "name" or "-name". */
static bool read_sort(struct exchange *x, struct graph_label_query *query)
{
    if (!exchange_query_text(x, "sort", GRAPH_ASKED_MAX, &query->sort))
        return false;
    if (query->sort.len > 0 && *(const char *)query->sort.data == '-') {
        query->descending = true;
        query->sort =
            (struct sh_bytes){(const char *)query->sort.data + 1, query->sort.len - 1};
    }
    return true;
}

static bool decode_part(struct exchange *x, struct sh_bytes raw, struct sh_bytes *out)
{
    char *text = sh_arena_alloc(&x->arena, raw.len + 1);

    if (text == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    if (sh_http_decode(raw, text, raw.len + 1) != SH_OK) {
        exchange_invalid(x, "prop", "a prop. parameter is not valid text");
        return false;
    }
    *out = sh_bytes_of(text);
    return true;
}

/* One "prop.NAME=VALUE" of the query. False: answered. */
static bool read_filter(struct exchange *x, const char *part, size_t len,
                        struct label_state *state)
{
    static const char prefix[] = "prop.";
    const size_t skip = sizeof(prefix) - 1;
    const char *equals = memchr(part, '=', len);

    if (len <= skip || memcmp(part, prefix, skip) != 0 || equals == NULL)
        return true;
    if (state->query.filters_count + 2 > SH_COUNT(state->filters)) {
        exchange_invalid(x, "prop", "at most %zu properties may be asked for",
                         SH_COUNT(state->filters) / 2);
        return false;
    }
    struct sh_bytes *pair = &state->filters[state->query.filters_count];
    state->query.filters_count += 2;
    struct sh_bytes name = {part + skip, (size_t)(equals - part) - skip};
    struct sh_bytes value = {equals + 1, len - (size_t)(equals - part) - 1};
    return decode_part(x, name, &pair[0]) && decode_part(x, value, &pair[1]);
}

static bool read_filters(struct exchange *x, struct label_state *state)
{
    struct sh_bytes query = sh_http_query(x->request);
    const char *part = query.data;
    size_t left = query.len;

    state->query.filters = state->filters;
    while (left > 0) {
        const char *end = memchr(part, '&', left);
        size_t len = end ? (size_t)(end - part) : left;
        if (!read_filter(x, part, len, state))
            return false;
        left -= end ? len + 1 : len;
        part += end ? len + 1 : len;
    }
    return true;
}

void graph_label_get(struct exchange *x, void *unused)
{
    struct label_state *state = exchange_state(x, sizeof *state);

    (void)unused;
    if (state == NULL)
        return;
    state->query.page = 1;
    state->query.per_page = PER_PAGE;
    if (exchange_param_text(x, "label", GRAPH_ASKED_MAX, &state->query.label) &&
        exchange_query_u32(x, "page", 1, PAGE_MAX, &state->query.page) &&
        exchange_query_u32(x, "per_page", 1, PER_PAGE_MAX, &state->query.per_page) &&
        read_sort(x, &state->query) && read_filters(x, state))
        graph_ask(x, METHOD_GRAPH_LABEL, graph_label_query_desc(), &state->query,
                  on_label);
}
