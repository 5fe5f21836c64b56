#include "services/gateway/auth/await_keys.h"

#include "services/gateway/auth/auth.h"
#include "shared/clock.h"
#include "shared/mem.h"

/* Made-up key ids must not gather requests here. */
enum { WAIT_MS = 5000, LOOK_EVERY_MS = 10, WAITING_MAX = 256 };

struct waiting {
    struct exchange *x;
    struct sh_bytes token;
    await_keys_fn *done;
    struct jwks *jwks;
    unsigned *count; /* of those on this loop */
    uint64_t ticket;
    uint64_t until_ms;
    uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void end(struct waiting *waiting)
{
    --*waiting->count;
    uv_close((uv_handle_t *)&waiting->timer, on_closed);
}

static void on_left(struct exchange *x)
{
    end(x->state);
}

static void on_look(uv_timer_t *timer)
{
    struct waiting *waiting = timer->data;
    struct exchange *x = waiting->x;

    if (!jwks_is_answered(waiting->jwks, waiting->ticket) &&
        sh_left_ms(waiting->until_ms) > 0)
        return;
    end(waiting);
    x->state = NULL;
    x->abandoned = NULL;
    waiting->done(x, waiting->token);
}

bool await_keys(struct exchange *x, struct sh_bytes token, await_keys_fn *done)
{
    struct jwks *jwks = x->edge->gateway->auth->jwks;
    unsigned *count = &x->edge->auth->waiting;
    uint64_t ticket = jwks != NULL && *count < WAITING_MAX ? jwks_ask(jwks) : 0;
    struct waiting *waiting = ticket != 0 ? sh_alloc(sizeof *waiting) : NULL;

    if (waiting == NULL)
        return false;
    *waiting = (struct waiting){.x = x,
                                .token = token,
                                .done = done,
                                .jwks = jwks,
                                .count = count,
                                .ticket = ticket,
                                .until_ms = sh_now_ms() + WAIT_MS};
    ++*count;
    x->state = waiting;
    x->abandoned = on_left;
    /* neither can fail: the loop is open and the callback is set */
    (void)uv_timer_init(x->edge->loop, &waiting->timer);
    waiting->timer.data = waiting;
    (void)uv_timer_start(&waiting->timer, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
    return true;
}
