/* The glossary: a page of it or a search, one entry, create, change, delete. */
#include "services/gateway/handlers/glossary.h"

#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/refresh.h"
#include "services/gateway/json_out.h"

enum { QUERY_BYTES = 2048 };

/* --- GET -------------------------------------------------------------------------- */

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
    glossary_ask(x, METHOD_GLOSSARY_LIST, SH_RPC_READ, glossary_list_desc(), &list,
                 on_page);
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
    glossary_ask(x, METHOD_GLOSSARY_GET, SH_RPC_READ, glossary_ref_desc(), &ref, on_one);
}

/* --- POST, PUT -------------------------------------------------------------------- */

struct write_state {
    struct refresh refresh; /* first, see refresh_wait() */
    struct glossary_stored stored;
    struct sh_bytes id;
    bool created;
};

/* False: answered. */
static bool begin_write(struct exchange *x, struct write_state **out)
{
    struct write_state *state = exchange_state(x, sizeof *state);

    if (state == NULL)
        return false;
    *out = state;
    return refresh_read(x, &state->refresh.mode);
}

static void answer_stored(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    glossary_members(out, &state->stored.term[0]);
    refresh_members(out, &state->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, state->created ? 201 : 200);
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
    refresh_wait(x, state->stored.xid, true, answer_stored);
}

static void put(struct exchange *x, const struct glossary_term *term, bool create)
{
    const struct glossary_put order = {.term = term,
                                       .term_count = 1,
                                       .create = create,
                                       .may_validate =
                                           authorised(x, PERMIT_VALIDATE_GLOSSARY)};

    glossary_ask(x, METHOD_GLOSSARY_PUT, SH_RPC_WRITE, glossary_put_desc(), &order,
                 on_stored);
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

/* --- DELETE ----------------------------------------------------------------------- */

static void answer_deleted(struct exchange *x)
{
    const struct write_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"deleted\":true");
    json_member_text(out, "id", state->id);
    refresh_members(out, &state->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_deleted(struct exchange *x, const struct sh_rpc_response *response)
{
    struct glossary_gone gone;

    if (exchange_decode(x, glossary_gone_desc(), response->payload, &gone))
        refresh_wait(x, gone.xid, true, answer_deleted);
}

void glossary_delete(struct exchange *x, void *unused)
{
    struct write_state *state;

    (void)unused;
    if (!begin_write(x, &state) || !glossary_read_id(x, &state->id))
        return;
    const struct glossary_ref ref = {
        .id = state->id, .may_validate = authorised(x, PERMIT_VALIDATE_GLOSSARY)};
    glossary_ask(x, METHOD_GLOSSARY_DELETE, SH_RPC_WRITE, glossary_ref_desc(), &ref,
                 on_deleted);
}
