/* Clearing the result cache, of all gateways where Redis can tell them. */
#include "services/gateway/cache/remote.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

struct clearing {
    size_t cleared;
    struct remote_clear *op;
};

static void answer(struct exchange *x, size_t cleared, bool everywhere)
{
    struct sh_buffer *out = exchange_out(x);

    cache_count(CACHE_CLEAR, true);
    sh_buffer_text(out, "{");
    json_member(out, "cleared");
    json_u64(out, cleared);
    json_member(out, "everywhere");
    json_bool(out, everywhere);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_cleared(void *arg, bool everywhere)
{
    struct exchange *x = arg;
    const struct clearing *clearing = x->state;

    x->abandoned = NULL;
    answer(x, clearing->cleared, everywhere);
}

static void on_abandoned(struct exchange *x)
{
    remote_clear_forget(((struct clearing *)x->state)->op);
}

void cache_clear_post(struct exchange *x, void *unused)
{
    struct cache *cache = x->edge->gateway->answers;
    struct clearing *clearing = exchange_state(x, sizeof *clearing);

    (void)unused;
    if (clearing == NULL)
        return;
    if (cache == NULL) {
        answer(x, 0, true);
        return;
    }
    clearing->cleared = cache_clear(cache);
    x->abandoned = on_abandoned;
    remote_clear(cache, x->edge->redis, on_cleared, x, &clearing->op);
}
