/* Relations between terms: relationships of the graph. BROADER and NARROWER are written
 * in pairs, one the inverse of the other; SYNONYM_OF, RELATED and TRANSLATION_OF hold
 * both ways and are written once, whichever end names them. */
#include <stdio.h>

#include "services/gateway/handlers/glossary.h"
#include "services/gateway/json_out.h"

enum { MOST = 1000 };

static const struct relation_type {
    const char *name;
    const char *inverse; /* NULL: none is written */
    bool symmetric;
} types[] = {{"SYNONYM_OF", NULL, true},     {"BROADER", "NARROWER", false},
             {"NARROWER", "BROADER", false}, {"RELATED", NULL, true},
             {"TRANSLATION_OF", NULL, true}, {"ABBREVIATION_OF", NULL, false}};

struct relation_body {
    struct sh_bytes type, to;
};
#define AT(member) offsetof(struct relation_body, member)
static const struct schema_field fields[] = {
    {.name = "type",
     .type = SCHEMA_TEXT,
     .offset = AT(type),
     .least = 1,
     .most = 32,
     .required = true,
     .help = "SYNONYM_OF, BROADER (the other one is broader), NARROWER, RELATED, "
             "TRANSLATION_OF or ABBREVIATION_OF"},
    {.name = "to",
     .type = SCHEMA_TEXT,
     .offset = AT(to),
     .least = 1,
     .most = 256,
     .bytes = 256,
     .required = true,
     .help = "id of the other term"},
};
const struct schema glossary_relation_schema = {
    "GlossaryRelation", "What another term is to this one.", sizeof(struct relation_body),
    fields, SH_COUNT(fields)};

struct relation_state {
    struct glossary_head head;
    const struct relation_type *type; /* NULL: any */
    struct sh_bytes id;
    struct sh_bytes to;
    struct glossary_term from_term;
    struct glossary_term to_term;
    uint32_t limit;
    struct sh_bytes cursor;
    bool inverse; /* of the one to delete, it is its turn */
};

/* --- what all of them need -------------------------------------------------------- */

static const struct relation_type *type_of(struct sh_bytes name)
{
    for (size_t i = 0; i < SH_COUNT(types); i++)
        if (sh_bytes_is(name, types[i].name))
            return &types[i];
    return NULL;
}

/* False: answered. */
static bool read_type(struct exchange *x, struct sh_bytes name,
                      struct relation_state *state)
{
    const struct relation_type *type = type_of(name);

    state->type = type;
    if (type == NULL) /* `state` goes with the answer */
        exchange_invalid(x, "type",
                         "type must be SYNONYM_OF, BROADER, NARROWER, RELATED, "
                         "TRANSLATION_OF or ABBREVIATION_OF");
    return type != NULL;
}

/* False: answered. */
static bool begin(struct exchange *x, struct relation_state **out)
{
    struct relation_state *state = exchange_state(x, sizeof *state);

    if (state == NULL)
        return false;
    *out = state;
    return glossary_read_id(x, &state->id);
}

static void ask_term(struct exchange *x, struct sh_bytes id, exchange_reply_fn *done)
{
    const struct glossary_ref ref = {.id = id};

    glossary_ask(x, METHOD_GLOSSARY_GET, SH_RPC_READ, glossary_ref_desc(), &ref, done);
}

/* The term of an answer, which outlives it. False: answered. */
static bool keep_term(struct exchange *x, const struct sh_rpc_response *response,
                      struct glossary_term *out)
{
    struct sh_bytes kept = sh_arena_copy(&x->arena, response->payload);
    struct glossary_page page;

    if (kept.data == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    if (!exchange_decode(x, glossary_page_desc(), kept, &page))
        return false;
    if (page.terms_count != 1) {
        exchange_fail_err(x, SH_UPSTREAM, NULL);
        return false;
    }
    *out = page.terms[0];
    return true;
}

/* Both ends of a relationship as it is written; empty: no memory. */
static struct sh_bytes edge_id(struct exchange *x, const struct relation_type *type,
                               struct sh_bytes from, struct sh_bytes to)
{
    size_t least = from.len < to.len ? from.len : to.len;
    int order = memcmp(from.data, to.data, least);
    bool turned = type->symmetric && (order > 0 || (order == 0 && from.len > to.len));

    return glossary_edge_id(x, type->name, turned ? to : from, turned ? from : to);
}

/* --- GET -------------------------------------------------------------------------- */

static const struct graph_node *node_of(const struct graph_neighbours *found,
                                        struct sh_bytes id)
{
    for (size_t i = 0; i < found->nodes_count; i++)
        if (sh_bytes_equal(found->nodes[i].id, id))
            return &found->nodes[i];
    return NULL;
}

static bool write_other(struct sh_buffer *out, const struct graph_node *node)
{
    json_t *properties = json_loadb(node->properties.data, node->properties.len, 0, NULL);
    const json_t *id = json_object_get(properties, "term_id");
    const char *name = json_string_value(json_object_get(properties, "name"));
    const char *language = json_string_value(json_object_get(properties, "language"));

    if (json_is_string(id)) {
        json_member_text(out, "to", sh_bytes_of(json_string_value(id)));
        json_member_text(out, "term", sh_bytes_of(name != NULL ? name : ""));
        json_member_text(out, "language", sh_bytes_of(language != NULL ? language : ""));
    }
    json_decref(properties);
    return json_is_string(id);
}

static void write_relations(struct exchange *x, const struct graph_neighbours *found)
{
    const struct relation_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);
    struct sh_bytes own = glossary_node_id(x, state->id);
    const char *before = "";

    sh_buffer_text(out, "{\"relations\":[");
    for (size_t i = 0; i < found->edges_count; i++) {
        const struct graph_edge *edge = &found->edges[i];
        const struct relation_type *type = type_of(edge->type);
        bool outgoing = sh_bytes_equal(edge->from, own);
        const struct graph_node *node = node_of(found, outgoing ? edge->to : edge->from);
        /* The inverse of a pair is told by its other half. */
        if (type == NULL || node == NULL || (!outgoing && type->inverse != NULL))
            continue;
        sh_buffer_printf(out, "%s{", before);
        json_member_text(out, "type", edge->type);
        json_member_text(out, "direction",
                         sh_bytes_of(type->symmetric ? "both"
                                     : outgoing      ? "out"
                                                     : "in"));
        (void)write_other(out, node); /* one that is no term has no "to" */
        sh_buffer_text(out, "}");
        before = ",";
    }
    sh_buffer_text(out, "]");
    if (found->next.len > 0)
        json_member_text(out, "next_cursor", found->next);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_found(struct exchange *x, const struct sh_rpc_response *reply)
{
    struct graph_neighbours found = {0};

    if (reply->err != SH_OK && reply->err != SH_NOTFOUND)
        exchange_fail_call(x, PEER_GRAPH, reply);
    else if (reply->err == SH_NOTFOUND || /* it has none yet */
             exchange_decode(x, graph_neighbours_desc(), reply->payload, &found))
        write_relations(x, &found);
}

static void on_term_to_list(struct exchange *x, const struct sh_rpc_response *response)
{
    struct relation_state *state = x->state;
    struct graph_neighbours_query query = {
        .id = glossary_node_id(x, state->id),
        .type = sh_bytes_of(state->type != NULL ? state->type->name : ""),
        .label = sh_bytes_of("Term"),
        .limit = state->limit,
        .after = state->cursor};

    if (keep_term(x, response, &state->from_term))
        glossary_ask_graph(x, METHOD_GRAPH_NEIGHBOURS, SH_RPC_READ,
                           graph_neighbours_query_desc(), &query, on_found);
}

void glossary_relations_get(struct exchange *x, void *unused)
{
    struct relation_state *state;
    struct sh_bytes type;

    (void)unused;
    if (!begin(x, &state) || !exchange_query_text(x, "type", 32, &type) ||
        (type.len > 0 && !read_type(x, type, state)))
        return;
    state->limit = 100;
    if (exchange_query_u32(x, "limit", 1, MOST, &state->limit) &&
        exchange_query_text(x, "cursor", 64, &state->cursor))
        ask_term(x, state->id, on_term_to_list);
}

/* --- POST ------------------------------------------------------------------------- */

static void on_put(struct exchange *x, const struct sh_rpc_response *reply)
{
    const struct relation_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);
    struct graph_put_reply stored;

    if (reply->err != SH_OK) {
        exchange_fail_call(x, PEER_GRAPH, reply);
        return;
    }
    if (!exchange_decode(x, graph_put_reply_desc(), reply->payload, &stored))
        return;
    sh_buffer_text(out, "{");
    json_member_text(out, "from", state->id);
    json_member_text(out, "type", sh_bytes_of(state->type->name));
    json_member_text(out, "to", state->to);
    json_member(out, "visible");
    json_bool(out, stored.visible);
    sh_buffer_text(out, "}");
    exchange_answer(x, 201);
}

/* As strict as the stricter of the two. */
static void set_edge(struct exchange *x, const char *type,
                     const struct graph_node_put *from, const struct graph_node_put *to,
                     struct graph_edge_put *out)
{
    const struct graph_node_put *strict =
        from->clearance_level >= to->clearance_level ? from : to;

    *out = (struct graph_edge_put){
        .id = edge_id(x, type_of(sh_bytes_of(type)), from->id, to->id),
        .type = sh_bytes_of(type),
        .from = from->id,
        .to = to->id,
        .properties = sh_bytes_of("{}"),
        .clearance_level = strict->clearance_level,
        .department = strict->department,
        .department_said = true};
}

static void on_other_term(struct exchange *x, const struct sh_rpc_response *response)
{
    struct relation_state *state = x->state;
    struct graph_node_put nodes[2];
    struct graph_edge_put edges[2];
    struct graph_put put = {.nodes = nodes,
                            .nodes_count = 2,
                            .edges = edges,
                            .edges_count = state->type->inverse != NULL ? 2 : 1,
                            .merge = true};

    if (!keep_term(x, response, &state->to_term))
        return;
    if (!glossary_node(x, &state->from_term, &nodes[0]) ||
        !glossary_node(x, &state->to_term, &nodes[1])) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    set_edge(x, state->type->name, &nodes[0], &nodes[1], &edges[0]);
    if (state->type->inverse != NULL)
        set_edge(x, state->type->inverse, &nodes[1], &nodes[0], &edges[1]);
    x->audit.target = state->id;
    glossary_ask_graph(x, METHOD_GRAPH_PUT, SH_RPC_WRITE, graph_put_desc(), &put, on_put);
}

static void on_first_term(struct exchange *x, const struct sh_rpc_response *response)
{
    struct relation_state *state = x->state;

    if (keep_term(x, response, &state->from_term))
        ask_term(x, state->to, on_other_term);
}

void glossary_relations_post(struct exchange *x, void *arg)
{
    const struct relation_body *body = arg;
    struct relation_state *state;

    if (!begin(x, &state) || !read_type(x, body->type, state))
        return;
    state->to = body->to;
    if (sh_bytes_equal(state->id, state->to))
        exchange_invalid(x, "to", "a term has no relation to itself");
    else
        ask_term(x, state->id, on_first_term);
}

/* --- DELETE ----------------------------------------------------------------------- */

static void delete_edge(struct exchange *x);

static void on_edge_gone(struct exchange *x, const struct sh_rpc_response *reply)
{
    struct relation_state *state = x->state;

    if (reply->err != SH_OK && !(reply->err == SH_NOTFOUND && state->inverse)) {
        if (reply->err == SH_NOTFOUND)
            exchange_fail_err(x, SH_NOTFOUND, "there is no such relation");
        else
            exchange_fail_call(x, PEER_GRAPH, reply);
        return;
    }
    if (!state->inverse && state->type->inverse != NULL) {
        state->inverse = true;
        delete_edge(x);
        return;
    }
    sh_buffer_text(exchange_out(x), "{\"deleted\":true}");
    exchange_answer(x, 200);
}

static void delete_edge(struct exchange *x)
{
    const struct relation_state *state = x->state;
    struct sh_bytes own = glossary_node_id(x, state->id);
    struct sh_bytes other = glossary_node_id(x, state->to);
    const struct relation_type *type =
        state->inverse ? type_of(sh_bytes_of(state->type->inverse)) : state->type;
    const struct graph_delete order = {.id = state->inverse
                                                 ? edge_id(x, type, other, own)
                                                 : edge_id(x, type, own, other),
                                       .edge = true};

    glossary_ask_graph(x, METHOD_GRAPH_DELETE, SH_RPC_WRITE, graph_delete_desc(), &order,
                       on_edge_gone);
}

static void on_term_to_delete(struct exchange *x, const struct sh_rpc_response *response)
{
    struct relation_state *state = x->state;

    x->audit.target = state->id;
    if (keep_term(x, response, &state->from_term))
        delete_edge(x);
}

void glossary_relations_delete(struct exchange *x, void *unused)
{
    struct relation_state *state;
    struct sh_bytes type;

    (void)unused;
    if (!begin(x, &state) || !exchange_query_text(x, "type", 32, &type) ||
        !exchange_query_text(x, "to", 256, &state->to) || !read_type(x, type, state))
        return;
    if (state->to.len == 0)
        exchange_invalid(x, "to", "to must be the id of the other term");
    else
        ask_term(x, state->id, on_term_to_delete);
}
