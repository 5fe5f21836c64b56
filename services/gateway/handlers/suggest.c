/* GET /api/suggest: what may be meant by what somebody has typed so far. */
#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/asker.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { TYPED_BYTES = 512, LIMIT = 8, LIMIT_MOST = 20 };
enum { SUGGEST_MS = 1000 /* who types on has another question by then */ };

struct suggest_state {
    struct sh_bytes query;
};

static void write_one(struct sh_buffer *out, const struct suggestion *one)
{
    static const char *const kinds[] = {"title", "term", "word"};

    sh_buffer_text(out, "{");
    json_member_text(out, "text", one->text);
    json_member_text(out, "kind", sh_bytes_of(kinds[one->kind]));
    if (one->id.len > 0)
        json_member_text(out, "id", one->id);
    sh_buffer_text(out, "}");
}

static void write_all(struct sh_buffer *out, struct sh_bytes query,
                      const struct suggestions *all)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "query", query);
    json_member(out, "suggestions");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < all->suggestions_count; i++) {
        sh_buffer_text(out, i > 0 ? "," : "");
        write_one(out, &all->suggestions[i]);
    }
    sh_buffer_text(out, "]");
    json_member(out, "degraded");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < all->degraded_count; i++) {
        sh_buffer_text(out, i > 0 ? "," : "");
        json_text(out, all->degraded[i]);
    }
    sh_buffer_text(out, "]}");
}

static void answer(struct exchange *x, const struct suggestions *all)
{
    const struct suggest_state *state = x->state;

    write_all(exchange_out(x), state->query, all);
    audit_counted(&x->audit, all->suggestions_count);
    exchange_answer(x, 200);
}

static void on_suggestions(struct exchange *x, const struct sh_rpc_response *response)
{
    struct suggestions all;

    if (exchange_decode(x, suggestions_desc(), response->payload, &all))
        answer(x, &all);
}

void suggest_get(struct exchange *x, void *unused)
{
    struct suggest_state *state = exchange_state(x, sizeof *state);
    struct suggest_query query = {.limit = LIMIT};
    uint32_t timeout_ms = x->edge->gateway->config.read_timeout_ms;

    (void)unused;
    if (state == NULL || !exchange_query_text(x, "q", TYPED_BYTES, &state->query) ||
        !exchange_query_u32(x, "limit", 1, LIMIT_MOST, &query.limit) ||
        !asker_identify(x, NULL))
        return;
    query.query = state->query;
    query.terms = authorised(x, PERMIT_READ_GLOSSARY);
    x->audit.query = query.query;
    if (search_trim(query.query).len == 0) {
        answer(x, &(struct suggestions){.degraded_count = 0});
        return;
    }
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_SUGGEST,
                         .kind = SH_RPC_READ,
                         .desc = suggest_query_desc(),
                         .msg = &query,
                         .timeout_ms = timeout_ms < SUGGEST_MS ? timeout_ms : SUGGEST_MS,
                         .done = on_suggestions,
                     });
}
