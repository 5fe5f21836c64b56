/* Ways between two nodes of the graph. */
#include <stdio.h>

#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_json.h"
#include "services/gateway/handlers/handlers.h"

enum {
    DEPTH = 6,
    DEPTH_MAX = 100,
    CHEAPEST_MAX = 50,
    EVERY_DEPTH = 4,
    EVERY_DEPTH_MAX = 10,
    EVERY = 20,
    EVERY_MAX = 200,
    COST_DIGITS = 17,
};

/* The members of a way; NULL: there is none. */
static void write_route(struct sh_buffer *out, const struct graph_route *route)
{
    static const struct graph_route none = {0};

    json_member(out, "length");
    if (route != NULL)
        json_u64(out, route->edges_count);
    else
        sh_buffer_text(out, "null");
    json_member(out, "cost");
    if (route != NULL)
        json_number(out, route->cost, COST_DIGITS);
    else
        sh_buffer_text(out, "null");
    route = route != NULL ? route : &none;
    graph_write_part(out, route->nodes, route->nodes_count, route->edges,
                     route->edges_count);
}

static void write_routes(struct sh_buffer *out, const struct graph_routes *reply)
{
    json_member(out, "paths");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < reply->routes_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        write_route(out, &reply->routes[i]);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

static void begin_found(struct sh_buffer *out, const struct graph_route *route)
{
    sh_buffer_text(out, "{\"found\":");
    json_bool(out, route != NULL);
    write_route(out, route);
}

static void end_truncated(struct exchange *x, struct sh_buffer *out, bool truncated)
{
    json_member(out, "truncated");
    json_bool(out, truncated);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* --- the shortest, or the cheapest ------------------------------------------------ */

static void on_path(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_path_reply reply;

    if (!exchange_decode(x, graph_path_reply_desc(), response->payload, &reply))
        return;
    struct graph_route route = {.cost = (double)reply.edges_count,
                                .nodes = reply.nodes,
                                .nodes_count = reply.nodes_count,
                                .edges = reply.edges,
                                .edges_count = reply.edges_count};
    struct sh_buffer *out = exchange_out(x);
    begin_found(out, reply.found ? &route : NULL);
    end_truncated(x, out, reply.truncated);
}

static void on_cheapest(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct graph_paths_query *query = x->state;
    struct graph_routes reply;

    if (!exchange_decode(x, graph_routes_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    begin_found(out, reply.routes_count > 0 ? reply.routes : NULL);
    if (query->count > 1)
        write_routes(out, &reply);
    if (query->weight.len > 0) {
        json_member(out, "unweighted_skipped");
        json_bool(out, reply.unweighted);
    }
    end_truncated(x, out, reply.truncated);
}

static void ask_path(struct exchange *x, const struct graph_paths_query *query)
{
    const struct graph_path_query shortest = {.from = query->from,
                                              .to = query->to,
                                              .direction = query->direction,
                                              .type = query->type,
                                              .max_depth = query->max_depth};

    if (query->count == 1 && query->weight.len == 0)
        graph_ask(x, METHOD_GRAPH_PATH, graph_path_query_desc(), &shortest, on_path);
    else
        graph_ask(x, METHOD_GRAPH_PATHS, graph_paths_query_desc(), query, on_cheapest);
}

/* "from -> to", for the audit log. */
static void note_ends(struct exchange *x, const struct graph_paths_query *query)
{
    static const char arrow[] = " -> ";
    size_t len = query->from.len + sizeof arrow - 1 + query->to.len;
    char *text = sh_arena_alloc(&x->arena, len + 1);

    if (text == NULL)
        return;
    (void)snprintf(text, len + 1, "%.*s%s%.*s", (int)query->from.len,
                   (const char *)query->from.data, arrow, (int)query->to.len,
                   (const char *)query->to.data);
    x->audit.target = (struct sh_bytes){text, len};
}

static bool read_ends(struct exchange *x, struct graph_paths_query *query)
{
    if (!graph_read_required(x, "from", &query->from) ||
        !graph_read_required(x, "to", &query->to))
        return false;
    note_ends(x, query);
    return graph_read_direction(x, &query->direction) &&
           exchange_query_text(x, "type", GRAPH_ASKED_MAX, &query->type);
}

void graph_path_get(struct exchange *x, void *unused)
{
    struct graph_paths_query *query = exchange_state(x, sizeof *query);

    (void)unused;
    if (query == NULL || !read_ends(x, query) ||
        !exchange_query_text(x, "weight", GRAPH_ASKED_MAX, &query->weight))
        return;
    query->count = 1;
    query->max_depth = query->weight.len > 0 ? DEPTH_MAX : DEPTH;
    if (exchange_query_u32(x, "k", 1, CHEAPEST_MAX, &query->count) &&
        exchange_query_u32(x, "max_depth", 1, DEPTH_MAX, &query->max_depth))
        ask_path(x, query);
}

/* --- all of them ------------------------------------------------------------------ */

static void on_every(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_routes reply;

    if (!exchange_decode(x, graph_routes_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    write_routes(out, &reply);
    end_truncated(x, out, reply.truncated);
}

void graph_paths_get(struct exchange *x, void *unused)
{
    struct graph_paths_query *query = exchange_state(x, sizeof *query);

    (void)unused;
    if (query == NULL || !read_ends(x, query))
        return;
    query->every = true;
    query->count = EVERY;
    query->max_depth = EVERY_DEPTH;
    if (exchange_query_u32(x, "limit", 1, EVERY_MAX, &query->count) &&
        exchange_query_u32(x, "max_depth", 1, EVERY_DEPTH_MAX, &query->max_depth))
        graph_ask(x, METHOD_GRAPH_PATHS, graph_paths_query_desc(), query, on_every);
}
