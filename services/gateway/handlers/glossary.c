/* The glossary: a page of it or a search, one entry, create, change, delete. */
#include "services/gateway/handlers/glossary.h"

#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/refresh.h"
#include "services/gateway/json_out.h"

enum { QUERY_BYTES = 2048, GRAPH_PUT_UPDATE = 2 };

/* --- GET ---------------------------------------------------------------------------- */

struct list_state {
    uint32_t page;
    uint32_t per_page;
    bool ranked; /* by meaning, too */
};

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct list_state *state = x->state;
    struct glossary_page page;

    if (!exchange_decode(x, glossary_page_desc(), response->payload, &page))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"entries\":[");
    for (size_t i = 0; i < page.terms_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        glossary_write(out, &page.terms[i]);
    }
    sh_buffer_text(out, "]");
    json_pagination(out, state->page, state->per_page, page.total);
    if (state->ranked) {
        json_member(out, "degraded");
        sh_buffer_text(out, "[");
        for (size_t i = 0; i < page.degraded_count; i++) {
            sh_buffer_text(out, i > 0 ? "," : "");
            json_text(out, page.degraded[i]);
        }
        sh_buffer_text(out, "]");
    }
    sh_buffer_text(out, "}");
    audit_counted(&x->audit, page.terms_count);
    exchange_answer(x, 200);
}

/* False: answered. */
static bool read_sort(struct exchange *x, struct sh_bytes *sort)
{
    static const char *const known[] = {"term", "-term", "updated_at", "-updated_at"};

    if (!exchange_query_text(x, "sort", 16, sort))
        return false;
    for (size_t i = 0; i < SH_COUNT(known); i++)
        if (sort->len == 0 || sh_bytes_is(*sort, known[i]))
            return true;
    exchange_invalid(x, "sort", "sort must be term, -term, updated_at or -updated_at");
    return false;
}

/* False: answered. */
static bool read_mode(struct exchange *x, struct sh_bytes *mode)
{
    if (!exchange_query_text(x, "mode", 16, mode))
        return false;
    if (mode->len == 0 || sh_bytes_is(*mode, "text") || sh_bytes_is(*mode, "semantic") ||
        sh_bytes_is(*mode, "hybrid"))
        return true;
    exchange_invalid(x, "mode", "mode must be text, semantic or hybrid");
    return false;
}

void glossary_list_get(struct exchange *x, void *unused)
{
    struct list_state *state = exchange_state(x, sizeof *state);
    struct glossary_list list = {0};

    (void)unused;
    if (state == NULL)
        return;
    *state = (struct list_state){.page = 1, .per_page = 20};
    if (!exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, 1000, &state->per_page) ||
        !exchange_query_text(x, "q", QUERY_BYTES, &list.q) || !read_sort(x, &list.sort) ||
        !read_mode(x, &list.mode) ||
        !glossary_read_filters(x, &list.language, &list.domain, &list.status))
        return;
    list.q = search_trim(list.q);
    state->ranked =
        list.q.len > 0 && list.mode.len > 0 && !sh_bytes_is(list.mode, "text");
    x->audit.query = list.q;
    list.page = state->page;
    list.per_page = state->per_page;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_LIST,
                         .kind = SH_RPC_READ,
                         .desc = glossary_list_desc(),
                         .msg = &list,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_page,
                     });
}

static void on_one(struct exchange *x, const struct sh_rpc_response *response)
{
    struct glossary_page page;

    if (!exchange_decode(x, glossary_page_desc(), response->payload, &page))
        return;
    if (page.terms_count != 1) {
        exchange_fail_err(x, SH_UPSTREAM, NULL);
        return;
    }
    glossary_write(exchange_out(x), &page.terms[0]);
    exchange_answer(x, 200);
}

void glossary_get(struct exchange *x, void *unused)
{
    struct glossary_ref ref = {0};

    (void)unused;
    if (!glossary_read_id(x, &ref.id))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_GET,
                         .kind = SH_RPC_READ,
                         .desc = glossary_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_one,
                     });
}

/* --- POST, PUT ---------------------------------------------------------------------- */

struct write_state {
    struct glossary_head head;
    struct glossary_stored stored;
    struct sh_bytes id;
    uint64_t xid; /* of a deletion */
    bool relations_gone;
    bool created;
};

/* False: answered. */
static bool begin_write(struct exchange *x, struct write_state **out)
{
    struct write_state *state = exchange_state(x, sizeof *state);

    if (state == NULL)
        return false;
    *out = state;
    return refresh_read(x, &state->head.refresh.mode);
}

static void answer_stored(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    glossary_members(out, &state->stored.term[0]);
    refresh_members(out, &state->head.refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, state->created ? 201 : 200);
}

/* Where there is no node, or graph is away, that is no failure of what is stored: the
 * next relation of the term writes its node anew. */
static void on_node(struct exchange *x, const struct sh_rpc_response *reply)
{
    const struct write_state *state = x->state;

    (void)reply;
    refresh_wait(x, state->stored.xid, true, answer_stored);
}

static void change_node(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct graph_node_put node;
    const struct graph_put put = {.nodes = &node,
                                  .nodes_count = 1,
                                  .mode = GRAPH_PUT_UPDATE,
                                  .merge = true,
                                  .no_wait = true};

    if (glossary_node(x, &state->stored.term[0], &node))
        glossary_ask_graph(x, METHOD_GRAPH_PUT, SH_RPC_WRITE, graph_put_desc(), &put,
                           on_node);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
}

static void on_stored(struct exchange *x, const struct sh_rpc_response *response)
{
    struct write_state *state = x->state;
    struct sh_bytes kept = sh_arena_copy(&x->arena, response->payload);

    if (kept.data == NULL) { /* texts of the answer point into it */
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (!exchange_decode(x, glossary_stored_desc(), kept, &state->stored))
        return;
    if (state->stored.term_count != 1) {
        exchange_fail_err(x, SH_UPSTREAM, NULL);
        return;
    }
    x->audit.target = state->stored.term[0].id;
    if (state->created)
        refresh_wait(x, state->stored.xid, true, answer_stored);
    else
        change_node(x);
}

static void put(struct exchange *x, const struct glossary_term *term, bool create)
{
    const struct glossary_put order = {.term = term,
                                       .term_count = 1,
                                       .create = create,
                                       .may_validate =
                                           authorised(x, PERMIT_VALIDATE_GLOSSARY)};

    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_PUT,
                         .kind = SH_RPC_WRITE,
                         .desc = glossary_put_desc(),
                         .msg = &order,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_stored,
                     });
}

void glossary_post(struct exchange *x, void *body)
{
    struct write_state *state;
    struct glossary_term term;

    if (!begin_write(x, &state))
        return;
    state->created = true;
    if (!glossary_fill(body, &x->arena, &term))
        exchange_fail_err(x, SH_NOMEM, NULL);
    else
        put(x, &term, true);
}

void glossary_put_one(struct exchange *x, void *body)
{
    struct write_state *state;
    struct glossary_term term;

    if (!begin_write(x, &state) || !glossary_read_id(x, &state->id))
        return;
    if (!glossary_fill(body, &x->arena, &term)) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    term.id = state->id;
    put(x, &term, false);
}

/* --- DELETE ------------------------------------------------------------------------- */

static void answer_deleted(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"deleted\":true");
    json_member_text(out, "id", state->id);
    if (!state->relations_gone) {
        json_member(out, "relations_deleted");
        json_bool(out, false);
    }
    refresh_members(out, &state->head.refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* The term is gone, whatever graph says; what stays there is told. */
static void on_node_gone(struct exchange *x, const struct sh_rpc_response *reply)
{
    struct write_state *state = x->state;

    state->relations_gone = reply->err == SH_OK || reply->err == SH_NOTFOUND;
    refresh_wait(x, state->xid, true, answer_deleted);
}

static void on_deleted(struct exchange *x, const struct sh_rpc_response *response)
{
    struct write_state *state = x->state;
    const struct graph_delete order = {
        .id = glossary_node_id(x, state->id), .detach = true, .no_wait = true};
    struct glossary_gone gone;

    if (!exchange_decode(x, glossary_gone_desc(), response->payload, &gone))
        return;
    state->xid = gone.xid;
    glossary_ask_graph(x, METHOD_GRAPH_DELETE, SH_RPC_WRITE, graph_delete_desc(), &order,
                       on_node_gone);
}

void glossary_delete(struct exchange *x, void *unused)
{
    struct write_state *state;

    (void)unused;
    if (!begin_write(x, &state) || !glossary_read_id(x, &state->id))
        return;
    const struct glossary_ref ref = {
        .id = state->id, .may_validate = authorised(x, PERMIT_VALIDATE_GLOSSARY)};
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_DELETE,
                         .kind = SH_RPC_WRITE,
                         .desc = glossary_ref_desc(),
                         .msg = &ref,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_deleted,
                     });
}
