#include "services/graph/feed/lag.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/clock.h"
#include "shared/metrics.h"

enum { EVERY_MS = 5000, ANSWER_MS = 4000 };

static const struct sh_pg_statement behind = {
    "graph_lag", "SELECT " SH_CHANGEFEED_LAG_SQL("graph_outbox")};

static struct sh_family gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_graph_view_lag_seconds",
    .help = "Age of the oldest committed change that the graph does not show yet."};

struct lag {
    struct lag_options options;
    uv_timer_t timer;
    bool asking;
    bool closing;
};

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

/* NaN: not known. */
static void tell(const struct lag *self, double seconds)
{
    sh_series_set(sh_series(&gauge, NULL), seconds);
    self->options.told(self->options.arg, seconds);
}

static void on_answer(void *arg, const struct sh_pg_reply *reply)
{
    struct lag *self = arg;
    double seconds = (double)NAN;

    self->asking = false;
    if (self->closing) {
        uv_close((uv_handle_t *)&self->timer, on_closed);
        return;
    }
    if (reply->err == SH_OK)
        seconds = strtod(PQgetvalue(reply->results[0], 0, 0), NULL);
    tell(self, seconds);
}

static void ask(struct lag *self, const struct sh_changefeed_position *position)
{
    char xid[24], seq[24];

    (void)snprintf(xid, sizeof(xid), "%" PRIu64, position->xid);
    (void)snprintf(seq, sizeof(seq), "%" PRIu64, position->seq);
    const struct sh_pg_param params[] = {{.value = sh_bytes_of(xid)},
                                         {.value = sh_bytes_of(seq)}};
    const struct sh_pg_step step = {&behind, params, SH_COUNT(params), false};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ANSWER_MS};

    self->asking = sh_pg_run(self->options.pg, &call, on_answer, self) == SH_OK;
}

static void on_timer(uv_timer_t *timer)
{
    struct lag *self = timer->data;
    struct sh_changefeed_position position;

    if (self->asking)
        return;
    if (feed_position(self->options.feed, &position))
        ask(self, &position);
    if (!self->asking)
        tell(self, (double)NAN);
}

enum sh_err lag_open(uv_loop_t *loop, const struct lag_options *options, struct lag **out)
{
    struct lag *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->timer.data = self;
    /* neither can fail: the loop is open and the callback is set */
    (void)uv_timer_init(loop, &self->timer);
    (void)uv_timer_start(&self->timer, on_timer, 0, EVERY_MS);
    *out = self;
    return SH_OK;
}

void lag_close(struct lag **lag)
{
    struct lag *self = *lag;

    *lag = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    uv_timer_stop(&self->timer);
    if (!self->asking)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}
