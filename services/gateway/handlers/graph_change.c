/* Nodes and relationships of the graph are made, changed, deleted. */
#include <errno.h>
#include <stdlib.h>

#include "services/gateway/handlers/graph_ask.h"
#include "services/gateway/handlers/graph_body.h"
#include "services/gateway/handlers/graph_json.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/refresh.h"

enum { MODE_PUT, MODE_CREATE, MODE_UPDATE }; /* of graph_put */

struct write_state {
    struct refresh refresh; /* first, see refresh_wait() */
    struct graph_put_reply stored;
    struct graph_gone gone;
    struct sh_bytes id;
    uint64_t version; /* that it must be of; 0: any */
    bool merge;
    bool detach;
};

/* --- what all of them read -------------------------------------------------------- */

static bool read_version(struct exchange *x, uint64_t *out)
{
    struct sh_bytes text;
    char *end = NULL;

    if (!exchange_query_text(x, "version", 20, &text))
        return false;
    if (text.len == 0)
        return true;
    errno = 0;
    *out = strtoull(text.data, &end, 10);
    if (*(const char *)text.data >= '1' && *(const char *)text.data <= '9' &&
        *end == '\0' && errno == 0 && *out <= INT64_MAX)
        return true;
    exchange_invalid(x, "version", "version must be a number that an answer has named");
    return false;
}

/* False: answered. */
static bool begin(struct exchange *x, struct write_state **out)
{
    struct write_state *state = exchange_state(x, sizeof *state);

    if (state == NULL)
        return false;
    state->refresh.peer = PEER_GRAPH;
    *out = state;
    return refresh_read(x, &state->refresh.mode) && read_version(x, &state->version) &&
           exchange_query_flag(x, "merge", &state->merge) &&
           exchange_query_flag(x, "detach", &state->detach);
}

static void fail_with(struct exchange *x, const struct schema_fault *fault)
{
    if (fault->err == SH_INVALID)
        exchange_invalid(x, fault->field, "%s", fault->error);
    else
        exchange_fail_err(x, fault->err, fault->error);
}

static void ask(struct exchange *x, uint32_t method, const struct msg_desc *desc,
                const void *msg, exchange_reply_fn *done)
{
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_GRAPH,
                         .method = method,
                         .kind = SH_RPC_WRITE,
                         .desc = desc,
                         .msg = msg,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = done,
                     });
}

/* --- stored ----------------------------------------------------------------------- */

static void answer_stored(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    json_member_text(out, "id", state->stored.id);
    json_member(out, "created");
    json_bool(out, state->stored.created > 0);
    json_member(out, "version");
    json_u64(out, state->stored.version);
    refresh_members(out, &state->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, state->stored.created > 0 ? 201 : 200);
}

static void on_stored(struct exchange *x, const struct sh_rpc_response *response)
{
    struct write_state *state = x->state;

    if (!exchange_decode(x, graph_put_reply_desc(), response->payload, &state->stored))
        return;
    state->stored.id = sh_arena_copy(&x->arena, state->stored.id);
    x->audit.target = state->stored.id;
    refresh_wait(x, state->stored.xid, state->stored.visible, answer_stored);
}

static void put(struct exchange *x, const struct graph_node_put *node,
                const struct graph_edge_put *edge, uint32_t mode)
{
    const struct write_state *state = x->state;
    const struct graph_put order = {.nodes = node,
                                    .nodes_count = node != NULL,
                                    .edges = edge,
                                    .edges_count = edge != NULL,
                                    .mode = mode,
                                    .merge = state->merge,
                                    .version = state->version,
                                    .no_wait = state->refresh.mode != REFRESH_OWN};

    ask(x, METHOD_GRAPH_PUT, graph_put_desc(), &order, on_stored);
}

static void put_node(struct exchange *x, const struct graph_node_body *body,
                     const struct write_state *state, uint32_t mode)
{
    struct graph_node_put node;
    struct schema_fault fault;

    if (!graph_node_fill(body, &x->arena, &node, &fault)) {
        fail_with(x, &fault);
        return;
    }
    if (state->id.len > 0)
        node.id = state->id;
    put(x, &node, NULL, mode);
}

void graph_node_post(struct exchange *x, void *body)
{
    struct write_state *state;

    if (begin(x, &state))
        put_node(x, body, state, MODE_CREATE);
}

/* What it is added to, or what is to be of a version, must be there. */
static uint32_t mode_of(const struct write_state *state)
{
    return state->merge || state->version > 0 ? MODE_UPDATE : MODE_PUT;
}

void graph_node_put(struct exchange *x, void *body)
{
    struct write_state *state;

    if (begin(x, &state) && exchange_param_text(x, "id", GRAPH_ID_MAX, &state->id))
        put_node(x, body, state, mode_of(state));
}

/* False: answered. */
static bool has_ends(struct exchange *x, const struct graph_edge_put *edge)
{
    const char *missing = edge->type.len == 0   ? "type"
                          : edge->from.len == 0 ? "from"
                          : edge->to.len == 0   ? "to"
                                                : NULL;

    if (missing != NULL)
        exchange_invalid(x, missing, "a relationship must have type, from and to");
    return missing == NULL;
}

static void put_edge(struct exchange *x, const struct graph_edge_body *body,
                     const struct write_state *state, uint32_t mode)
{
    struct graph_edge_put edge;
    struct schema_fault fault;

    if (!graph_edge_fill(body, &x->arena, &edge, &fault)) {
        fail_with(x, &fault);
        return;
    }
    if (state->id.len > 0)
        edge.id = state->id;
    if (state->merge || has_ends(x, &edge))
        put(x, NULL, &edge, mode);
}

void graph_edge_post(struct exchange *x, void *body)
{
    struct write_state *state;

    if (begin(x, &state))
        put_edge(x, body, state, MODE_CREATE);
}

void graph_edge_put(struct exchange *x, void *body)
{
    struct write_state *state;

    if (begin(x, &state) && exchange_param_text(x, "id", GRAPH_ID_MAX, &state->id))
        put_edge(x, body, state, mode_of(state));
}

/* --- by a key --------------------------------------------------------------------- */

/* A value that is null is none. False: answered. */
static bool is_key(struct exchange *x, json_t *key)
{
    bool good = json_object_size(key) > 0;

    for (void *at = json_object_iter(key); at != NULL;
         at = json_object_iter_next(key, at))
        good = good && !json_is_null(json_object_iter_value(at));
    if (!good)
        exchange_invalid(x, "key",
                         "key must have at least one property, none of them "
                         "null");
    return good;
}

/* The node gets the label and the key as well. */
static bool complete(struct graph_merge_body *body, struct sh_arena *arena)
{
    struct schema_texts *labels = &body->node.labels;
    struct sh_bytes *all = sh_arena_array(arena, labels->count + 1, sizeof *all);
    size_t count = 1;

    if (all == NULL)
        return false;
    all[0] = body->label;
    for (size_t i = 0; i < labels->count; i++)
        if (!sh_bytes_equal(labels->items[i], body->label))
            all[count++] = labels->items[i];
    *labels = (struct schema_texts){.items = all, .count = count};
    body->node.properties =
        body->node.properties != NULL ? json_copy(body->node.properties) : json_object();
    return body->node.properties != NULL &&
           json_object_update(body->node.properties, body->key) == 0;
}

/* False: answered. */
static bool fill_merge(struct exchange *x, struct graph_merge_body *body,
                       struct graph_node_put *node, struct graph_merge *order)
{
    json_t *given = body->node.properties;
    struct schema_fault fault = {.err = SH_NOMEM};

    if (!is_key(x, body->key))
        return false;
    bool good = complete(body, &x->arena) &&
                graph_node_fill(&body->node, &x->arena, node, &fault) &&
                graph_properties(body->key, &x->arena, &order->key, &fault);
    if (body->node.properties != given)
        json_decref(body->node.properties);
    if (!good)
        fail_with(x, &fault);
    return good;
}

void graph_merge_post(struct exchange *x, void *arg)
{
    struct graph_merge_body *body = arg;
    struct graph_node_put node;
    struct graph_merge order = {.label = body->label, .node = &node, .node_count = 1};
    struct write_state *state;

    if (!begin(x, &state) || !fill_merge(x, body, &node, &order))
        return;
    order.no_wait = state->refresh.mode != REFRESH_OWN;
    ask(x, METHOD_GRAPH_MERGE, graph_merge_desc(), &order, on_stored);
}

/* --- read, deleted ---------------------------------------------------------------- */

static void on_edge(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_edge_reply reply = {0};

    if (!exchange_decode(x, graph_edge_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    for (size_t i = 0; i < reply.edge_count; i++)
        graph_write_edge(out, &reply.edge[i]);
    exchange_answer(x, 200);
}

void graph_edge_get(struct exchange *x, void *unused)
{
    struct graph_ref ref;

    (void)unused;
    if (exchange_param_text(x, "id", GRAPH_ID_MAX, &ref.id))
        graph_ask(x, METHOD_GRAPH_EDGE, graph_ref_desc(), &ref, on_edge);
}

static void answer_deleted(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"deleted\":true");
    json_member_text(out, "id", state->id);
    json_member(out, "relationships_deleted");
    json_u64(out, state->gone.edges);
    refresh_members(out, &state->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_deleted(struct exchange *x, const struct sh_rpc_response *response)
{
    struct write_state *state = x->state;

    if (exchange_decode(x, graph_gone_desc(), response->payload, &state->gone))
        refresh_wait(x, state->gone.xid, state->gone.visible, answer_deleted);
}

static void delete (struct exchange *x, bool edge)
{
    struct write_state *state;

    if (!begin(x, &state) || !exchange_param_text(x, "id", GRAPH_ID_MAX, &state->id))
        return;
    const struct graph_delete order = {.id = state->id,
                                       .edge = edge,
                                       .detach = state->detach,
                                       .version = state->version,
                                       .no_wait = state->refresh.mode != REFRESH_OWN};
    ask(x, METHOD_GRAPH_DELETE, graph_delete_desc(), &order, on_deleted);
}

void graph_node_delete(struct exchange *x, void *unused)
{
    (void)unused;
    delete (x, false);
}

void graph_edge_delete(struct exchange *x, void *unused)
{
    (void)unused;
    delete (x, true);
}
