#include "services/search/fit/refit.h"

#include <inttypes.h>
#include <stdio.h>

#include "services/search/fit/fit_run.h"
#include "services/search/fit/fit_sql.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { DATABASE_MS = 60000 };

struct refit {
    struct sh_pg *pg;
    char growth[32];
    uint64_t interval_ms;
    bool busy; /* a database call holds `this` */
    bool closing;
    uv_timer_t timer;
};

static void on_timer(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

/* False when it is being closed. */
static bool returned(struct refit *self)
{
    self->busy = false;
    if (self->closing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    else
        uv_timer_start(&self->timer, on_timer, self->interval_ms, 0);
    return !self->closing;
}

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    if (!returned(arg))
        return;
    if (reply->err == SH_OK)
        sh_info(NULL, "the corpus has grown: job %s fits a model to it anew", reply->id);
    else if (reply->err != SH_CONFLICT) /* there is one already */
        sh_warning(NULL, "no new fit: %s", reply->message);
}

static void add(struct refit *self)
{
    char *params = reindex_params(sh_bytes_of(FIT_MODEL), NULL, true);
    struct sh_job_new order = {.kind = REINDEX_KIND,
                               .style = SH_JOB_STEPS,
                               .params = sh_bytes_of(params),
                               .key = sh_bytes_of("reindex")};

    uv_timer_stop(&self->timer);
    self->busy = params != NULL && sh_job_add(self->pg, &order, on_added, self) == SH_OK;
    if (!self->busy)
        uv_timer_start(&self->timer, on_timer, self->interval_ms, 0);
    sh_free(params);
}

static void on_looked(void *arg, const struct sh_pg_reply *reply)
{
    struct refit *self = arg;

    if (!returned(self) || reply->err != SH_OK || PQntuples(reply->results[0]) == 0)
        return;
    sh_info(NULL, "%" PRIu64 " passages, and a model that was fitted to %" PRIu64,
            sh_pg_u64(reply->results[0], 0, 0), sh_pg_u64(reply->results[0], 0, 1));
    add(self);
}

static void on_timer(uv_timer_t *timer)
{
    struct refit *self = timer->data;
    struct sh_pg_param params[] = {{sh_bytes_of(self->growth), false}};
    struct sh_pg_step step = {&fit_growth, params, 1, false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + DATABASE_MS};

    self->busy = sh_pg_run(self->pg, &call, on_looked, self) == SH_OK;
    if (!self->busy)
        uv_timer_start(&self->timer, on_timer, self->interval_ms, 0);
}

enum sh_err refit_create(const struct refit_options *options, struct refit **out)
{
    *out = NULL;
    if (options->growth <= 0)
        return SH_OK;
    struct refit *self = sh_alloc(sizeof(*self));
    if (self == NULL)
        return SH_NOMEM;
    self->pg = options->pg;
    self->interval_ms = (uint64_t)options->interval_s * 1000;
    (void)snprintf(self->growth, sizeof(self->growth), "%.6f", options->growth);
    uv_timer_init(options->loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    uv_timer_start(&self->timer, on_timer, self->interval_ms, 0);
    *out = self;
    return SH_OK;
}

void refit_close(struct refit **refit)
{
    struct refit *self = *refit;

    *refit = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    uv_timer_stop(&self->timer);
    if (!self->busy)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}
