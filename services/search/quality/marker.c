#include "services/search/quality/marker.h"

#include <stdio.h>

#include "services/search/quality/quality_sql.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum {
    IDLE_MS = 1000,
    FAILED_MS = 10000,
    BATCH_MS = 30000,
    LOADING_TIMES =
        15, /* a batch is followed by as many times its own time, else by one */
};
#define BATCH "200"

static struct sh_family compared_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_duplicates_compared_total",
    .help = "Passages that were compared with all others for being nearly the same.",
};

struct marker {
    struct sh_pg *pg;
    const struct putter *putter;
    uv_timer_t timer;
    char similarity[24];
    uint64_t began_ms;
    bool busy;
    bool paused;
    bool closing;
    bool failed; /* and said so */
};

static void on_timer(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void again(struct marker *self, uint64_t after_ms)
{
    if (!self->paused)
        uv_timer_start(&self->timer, on_timer, after_ms, 0);
}

static void fail(struct marker *self, const char *why)
{
    if (!self->failed)
        sh_warning(NULL, "duplicates are not looked for at the moment: %s", why);
    self->failed = true;
    again(self, FAILED_MS);
}

/* A load is not held up by what can as well follow it, and does not put it off for ever.
 */
static uint64_t pause_ms(const struct marker *self, uint64_t took_ms)
{
    return putter_is_loading(self->putter) ? LOADING_TIMES * took_ms : took_ms;
}

static void on_marked(void *arg, const struct sh_pg_reply *reply)
{
    struct marker *self = arg;
    uint64_t took_ms = sh_now_ms() - self->began_ms;

    self->busy = false;
    if (self->closing) {
        uv_close((uv_handle_t *)&self->timer, on_closed);
        return;
    }
    if (reply->err != SH_OK) {
        fail(self, reply->message[0] ? reply->message : sh_err_text(reply->err));
        return;
    }
    uint64_t count = sh_pg_u64(reply->results[0], 0, 0);
    self->failed = false;
    sh_series_add(sh_series(&compared_total, NULL), (double)count);
    again(self, count > 0 ? pause_ms(self, took_ms) : IDLE_MS);
}

static void on_timer(uv_timer_t *timer)
{
    struct marker *self = timer->data;
    const struct sh_pg_param params[] = {{sh_bytes_of(BATCH), false},
                                         {sh_bytes_of(self->similarity), false}};
    const struct sh_pg_step step = {&quality_mark, params, SH_COUNT(params), false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + BATCH_MS};
    enum sh_err err;

    self->began_ms = sh_now_ms();
    err = sh_pg_run(self->pg, &call, on_marked, self);
    self->busy = err == SH_OK;
    if (err != SH_OK)
        fail(self, sh_err_text(err));
}

enum sh_err marker_create(uv_loop_t *loop, struct sh_pg *pg, const struct putter *putter,
                          double similarity, struct marker **out)
{
    struct marker *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->pg = pg;
    self->putter = putter;
    (void)snprintf(self->similarity, sizeof(self->similarity), "%.6f", similarity);
    uv_timer_init(loop, &self->timer);
    self->timer.data = self;
    again(self, IDLE_MS);
    *out = self;
    return SH_OK;
}

void marker_pause(struct marker *self)
{
    if (self == NULL)
        return;
    self->paused = true;
    uv_timer_stop(&self->timer);
}

void marker_close(struct marker **self_in)
{
    struct marker *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    marker_pause(self);
    self->closing = true;
    if (!self->busy)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}
