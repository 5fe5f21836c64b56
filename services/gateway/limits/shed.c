#include "services/gateway/limits/shed.h"

#include "shared/clock.h"
#include "shared/codel.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { BLOCKED_MS = 1 }; /* a poll that took longer was waiting for something */

struct shed {
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    unsigned handles;
    uint64_t polling_ms; /* since when */
    uint64_t polled_ms;  /* when the last poll whose callbacks are over returned */
    uint32_t in_flight;
    uint32_t in_flight_most;
    struct sh_codel loop;
};

static struct sh_family delay_family = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_gateway_loop_delay_seconds",
    .help = "How long requests can have waited for their event loop"};
static struct sh_family refused_family = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_shed_total",
    .help = "Requests answered 503 at once because of overload",
    .labels = {"reason"}};

/* --- the loop --------------------------------------------------------------------- */

static void on_prepare(uv_prepare_t *handle)
{
    struct shed *self = handle->data;
    self->polling_ms = sh_now_ms();
}

static void on_check(uv_check_t *handle)
{
    struct shed *self = handle->data;
    self->polled_ms = uv_now(handle->loop);
}

/* How long a request can have waited that is read now. Callbacks run within the poll, and
 * the loop's time is when it returned. What a poll that did not wait brings may have come
 * at any time since the one before. */
static uint64_t longest_wait_us(const struct shed *self, uint64_t now_us)
{
    uint64_t returned_ms = uv_now(self->before_poll.loop);
    bool waited = returned_ms > self->polling_ms + BLOCKED_MS;
    uint64_t earliest_us = (waited ? returned_ms : self->polled_ms) * 1000;

    return now_us > earliest_us ? now_us - earliest_us : 0;
}

static enum shed_reason judge(struct shed *self)
{
    uint64_t now_us = sh_now_us();
    uint64_t wait_us = longest_wait_us(self, now_us);
    static _Thread_local struct sh_series *series;

    if (series == NULL)
        series = sh_series(&delay_family, NULL);
    sh_series_observe(series, (double)wait_us / 1e6);
    sh_codel_note(&self->loop, now_us, wait_us);
    if (self->in_flight_most > 0 && self->in_flight >= self->in_flight_most)
        return SHED_IN_FLIGHT;
    if (sh_codel_refuses(&self->loop, wait_us))
        return SHED_LOOP;
    return SHED_NOT;
}

const char *shed_reason_name(enum shed_reason reason)
{
    static const char *const names[] = {"none", "in_flight", "loop_delay"};
    return names[reason];
}

static void count(enum shed_reason reason)
{
    sh_count(&refused_family, shed_reason_name(reason));
}

enum shed_reason shed_begin(struct shed *self)
{
    enum shed_reason reason = judge(self);

    if (reason != SHED_NOT)
        count(reason);
    else
        self->in_flight++;
    return reason;
}

void shed_end(struct shed *self)
{
    self->in_flight--;
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err shed_create(uv_loop_t *loop, const struct limits_config *config,
                        struct shed **out)
{
    struct shed *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    uint64_t interval_us = (uint64_t)config->shed_interval_ms * 1000;
    self->in_flight_most = config->in_flight;
    self->loop.target_us = (uint64_t)config->shed_delay_ms * 1000;
    self->loop.interval_us = interval_us;
    self->polling_ms = self->polled_ms = sh_now_ms();
    self->before_poll.data = self->after_poll.data = self;
    self->handles = 2;
    (void)uv_prepare_init(loop, &self->before_poll); /* these cannot fail */
    (void)uv_check_init(loop, &self->after_poll);
    (void)uv_prepare_start(&self->before_poll, on_prepare);
    (void)uv_check_start(&self->after_poll, on_check);
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct shed *self = handle->data;
    if (--self->handles == 0)
        sh_free(self);
}

void shed_close(struct shed **self_p)
{
    struct shed *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    uv_close((uv_handle_t *)&self->before_poll, on_closed);
    uv_close((uv_handle_t *)&self->after_poll, on_closed);
}
