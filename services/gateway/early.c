#include "services/gateway/early.h"

#include "services/gateway/exchange.h"

struct early {
    uv_timer_t timer;
    early_fn *dispatch;
    struct exchange *first;
    struct exchange **last;
    bool over;
};

static void on_timer(uv_timer_t *timer)
{
    early_end(timer->data);
}

enum sh_err early_create(uv_loop_t *loop, uint64_t patience_ms, early_fn *dispatch,
                         struct early **out)
{
    struct early *early = sh_alloc(sizeof *early);

    *out = NULL;
    if (early == NULL)
        return SH_NOMEM;
    early->dispatch = dispatch;
    early->last = &early->first;
    (void)uv_timer_init(loop, &early->timer); /* always 0 */
    early->timer.data = early;
    (void)uv_timer_start(&early->timer, on_timer, patience_ms, 0); /* has a callback */
    *out = early;
    return SH_OK;
}

bool early_hold(struct early *early, struct exchange *x)
{
    if (early->over)
        return false;
    x->next = NULL;
    *early->last = x;
    early->last = &x->next;
    return true;
}

void early_forget(struct early *early, struct exchange *x)
{
    struct exchange **at = &early->first;

    while (*at != NULL && *at != x)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = x->next;
    if (early->last == &x->next)
        early->last = at;
    x->next = NULL;
}

void early_end(struct early *early)
{
    early->over = true;
    (void)uv_timer_stop(&early->timer); /* always 0 */
    while (early->first != NULL) {
        struct exchange *x = early->first;
        early_forget(early, x);
        early->dispatch(x);
    }
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void early_close(struct early **early)
{
    struct early *self = *early;

    if (self == NULL)
        return;
    *early = NULL;
    self->over = true;
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
