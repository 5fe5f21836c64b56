#include "changefeed_wait.h"

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/timer.h"

struct changefeed_waiter {
    struct changefeed_waiter *next;
    uint64_t xid;
    uint64_t deadline_ms;
    void (*done)(void *arg, enum sh_err err);
    void *arg;
    enum sh_err err;
};

static void on_timer(uv_timer_t *timer);

static void be_due(struct changefeed_waiters *self, uint64_t when_ms)
{
    if (when_ms >= self->due_ms || uv_is_closing((uv_handle_t *)&self->timer))
        return;
    self->due_ms = when_ms;
    sh_timer_once(&self->timer, on_timer, sh_left_ms(when_ms));
}

static bool is_over(struct changefeed_waiter *waiter, uint64_t applied_below,
                    uint64_t now)
{
    waiter->err = waiter->xid < applied_below ? SH_OK : SH_TIMEOUT;
    return waiter->err == SH_OK || waiter->deadline_ms <= now;
}

/* Unlinked first, told afterwards: those who are told may add, or close the feed. */
static void on_timer(uv_timer_t *timer)
{
    struct changefeed_waiters *self = timer->data;
    struct changefeed_waiter *over = NULL;
    struct changefeed_waiter **end = &over;
    struct changefeed_waiter **link = &self->first;
    uint64_t now = sh_now_ms();
    uint64_t earliest = UINT64_MAX;

    self->due_ms = UINT64_MAX;
    while (*link) {
        struct changefeed_waiter *waiter = *link;
        if (is_over(waiter, self->applied_below, now)) {
            *link = waiter->next;
            waiter->next = NULL;
            *end = waiter;
            end = &waiter->next;
        } else {
            earliest = waiter->deadline_ms < earliest ? waiter->deadline_ms : earliest;
            link = &waiter->next;
        }
    }
    be_due(self, earliest);
    while (over) {
        struct changefeed_waiter *waiter = over;
        over = waiter->next;
        waiter->done(waiter->arg, waiter->err);
        sh_free(waiter);
    }
}

void changefeed_waiters_init(struct changefeed_waiters *waiters, uv_loop_t *loop,
                             void (*closed)(void *arg), void *arg)
{
    waiters->due_ms = UINT64_MAX;
    waiters->closed = closed;
    waiters->arg = arg;
    waiters->timer.data = waiters;
    (void)uv_timer_init(loop, &waiters->timer);
}

enum sh_err changefeed_waiters_add(struct changefeed_waiters *waiters, uint64_t xid,
                                   uint64_t deadline_ms,
                                   void (*done)(void *arg, enum sh_err err), void *arg)
{
    struct changefeed_waiter *waiter = sh_alloc(sizeof(*waiter));

    if (!waiter)
        return SH_NOMEM;
    *waiter = (struct changefeed_waiter){.next = waiters->first,
                                         .xid = xid,
                                         .deadline_ms = deadline_ms,
                                         .done = done,
                                         .arg = arg};
    waiters->first = waiter;
    be_due(waiters, xid < waiters->applied_below ? 0 : deadline_ms);
    return SH_OK;
}

void changefeed_waiters_wake(struct changefeed_waiters *waiters, uint64_t applied_below)
{
    waiters->applied_below = applied_below;
    for (const struct changefeed_waiter *w = waiters->first; w; w = w->next) {
        if (w->xid < applied_below) {
            be_due(waiters, 0);
            return;
        }
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct changefeed_waiters *self = handle->data;

    self->closed(self->arg);
}

void changefeed_waiters_close(struct changefeed_waiters *waiters)
{
    struct changefeed_waiter *waiter;

    uv_close((uv_handle_t *)&waiters->timer, on_closed);
    while ((waiter = waiters->first)) {
        waiters->first = waiter->next;
        waiter->done(waiter->arg, SH_CANCELED);
        sh_free(waiter);
    }
}
