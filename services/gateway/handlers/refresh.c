#include "services/gateway/handlers/refresh.h"

#include "services/gateway/json_out.h"

bool refresh_read(struct exchange *x, enum refresh_mode *mode)
{
    struct sh_bytes text;

    *mode = REFRESH_OWN;
    if (!exchange_query_text(x, "refresh", 8, &text))
        return false;
    if (sh_bytes_is(text, "true") || sh_bytes_is(text, "1")) {
        *mode = REFRESH_ALL;
    } else if (sh_bytes_is(text, "false") || sh_bytes_is(text, "0")) {
        *mode = REFRESH_NONE;
    } else if (text.len > 0) {
        exchange_invalid(x, "refresh", "refresh must be true or false");
        return false;
    }
    return true;
}

/* --- all replicas ----------------------------------------------------------------- */

static void on_all(void *arg, struct everywhere_answer answer)
{
    struct exchange *x = arg;
    struct refresh *refresh = x->state;

    refresh->waiting = NULL;
    refresh->all = answer;
    x->abandoned = NULL;
    refresh->then(x);
}

static void on_abandoned(struct exchange *x)
{
    struct refresh *refresh = x->state;

    everywhere_cancel(&refresh->waiting);
}

struct everywhere_order refresh_order(struct exchange *x, uint64_t xid)
{
    return (struct everywhere_order){
        .caller = &x->caller,
        .trace = sh_http_trace(x->request),
        .xid = xid,
        .wait_ms = x->edge->gateway->config.refresh_timeout_ms,
    };
}

void refresh_wait(struct exchange *x, uint64_t xid, bool visible,
                  void (*then)(struct exchange *x))
{
    struct refresh *refresh = x->state;
    struct everywhere_order order = refresh_order(x, xid);

    order.peer = refresh->peer;
    refresh->visible = visible;
    refresh->then = then;
    /* It is stored, so what cannot be found out now is no failure. */
    if (refresh->mode != REFRESH_ALL ||
        everywhere_ask(x->edge, &order, on_all, x, &refresh->waiting) != SH_OK)
        then(x);
    else
        x->abandoned = on_abandoned;
}

/* --- the answer ------------------------------------------------------------------- */

void refresh_members(struct sh_buffer *out, const struct refresh *refresh)
{
    const struct everywhere_answer *all = &refresh->all;

    if (refresh->mode == REFRESH_NONE)
        return;
    json_member(out, "visible");
    json_bool(out, refresh->mode == REFRESH_OWN
                       ? refresh->visible
                       : all->replicas > 0 && all->visible == all->replicas);
    if (refresh->mode == REFRESH_ALL) {
        json_member(out, "replicas");
        sh_buffer_printf(out, "{\"total\":%u,\"visible\":%u}", (unsigned)all->replicas,
                         (unsigned)all->visible);
    }
}
