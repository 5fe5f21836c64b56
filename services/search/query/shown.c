#include "services/search/query/shown.h"

#include "shared/clock.h"
#include "shared/mem.h"

/* The feed tells when a transaction is in the view; while the view is loaded it cannot,
 * so it is asked again. A waiter belongs either to the feed or to the timer's list. */

enum { AGAIN_MS = 20 };

struct waiter {
    struct shown *shown;
    struct sh_rpc_call *call;
    uint64_t xid;
    uint64_t deadline_ms;
    struct waiter *next; /* of those that the timer asks for */
};

struct shown {
    struct feed *feed;
    struct waiter *waiters;
    uv_timer_t timer;
    bool closing;
};

static void answer(struct waiter *waiter, bool visible)
{
    const struct view_shown reply = {.visible = visible};

    /* A gateway that has not heard yet would still give what it kept of the old data. */
    sh_rpc_reply_when_heard(waiter->call, view_shown_desc(), &reply);
}

static void ask(struct waiter *waiter);

static void on_timer(uv_timer_t *timer)
{
    struct shown *shown = timer->data;
    struct waiter *waiter = shown->waiters;

    shown->waiters = NULL;
    while (waiter != NULL) {
        struct waiter *next = waiter->next; /* the waiter may be gone afterwards */
        ask(waiter);
        waiter = next;
    }
}

static void ask_again(struct waiter *waiter)
{
    struct shown *shown = waiter->shown;

    waiter->next = shown->waiters;
    shown->waiters = waiter;
    if (!uv_is_active((uv_handle_t *)&shown->timer)) /* it is not closing */
        (void)uv_timer_start(&shown->timer, on_timer, AGAIN_MS, 0);
}

static void on_view(void *arg, enum sh_err err)
{
    struct waiter *waiter = arg;

    if (err == SH_CANCELED && !waiter->shown->closing &&
        sh_left_ms(waiter->deadline_ms) > 0)
        ask_again(waiter); /* the view is loaded anew */
    else
        answer(waiter, err == SH_OK);
}

static void ask(struct waiter *waiter)
{
    struct feed *feed = waiter->shown->feed;

    if (feed_wait(feed, waiter->xid, waiter->deadline_ms, on_view, waiter) != SH_OK)
        on_view(waiter, SH_CANCELED);
}

void shown_handle(void *arg, struct sh_rpc_call *call)
{
    struct shown *shown = arg;
    uint64_t latest = sh_rpc_call_deadline_ms(call);
    struct view_wait wanted;
    struct waiter *waiter;

    if (sh_rpc_call_decode(call, view_wait_desc(), &wanted) != SH_OK)
        return;
    waiter = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*waiter));
    if (waiter == NULL) {
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
        return;
    }
    *waiter = (struct waiter){.shown = shown,
                              .call = call,
                              .xid = wanted.xid,
                              .deadline_ms = sh_now_ms() + wanted.wait_ms};
    if (latest < waiter->deadline_ms)
        waiter->deadline_ms = latest;
    if (shown->feed == NULL || shown->closing)
        answer(waiter, !shown->closing);
    else
        ask(waiter);
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err shown_create(uv_loop_t *loop, struct feed *feed, struct shown **out)
{
    struct shown *shown = sh_alloc(sizeof(*shown));

    if (shown == NULL)
        return SH_NOMEM;
    shown->feed = feed;
    shown->timer.data = shown;
    (void)uv_timer_init(loop, &shown->timer); /* cannot fail */
    *out = shown;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void shown_close(struct shown **shown_in)
{
    struct shown *shown = *shown_in;

    *shown_in = NULL;
    if (shown == NULL)
        return;
    shown->closing = true;
    while (shown->waiters != NULL) {
        struct waiter *waiter = shown->waiters;
        shown->waiters = waiter->next;
        answer(waiter, false);
    }
    uv_close((uv_handle_t *)&shown->timer, on_closed);
}
