#include "services/search/generations/generation_watch.h"

#include <jansson.h>
#include <stdlib.h>

#include "services/search/generations/generation_sql.h"
#include "shared/clock.h"
#include "shared/metrics.h"

enum { EVERY_MS = 5000, ANSWER_MS = 4000 };
enum { FINGERPRINT, NAME, STATE, PENDING }; /* columns of generation_states */

static struct sh_family pending_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_search_generation_pending",
    .help = "Passages that wait for a vector of a generation that is not live.",
    .labels = {"state"},
};
static struct sh_family count_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_search_generations",
    .help = "Generations of vectors, by state.",
    .labels = {"state"},
};
static struct sh_family switching_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_search_generation_switching",
    .help = "1 while this replica's searches use another generation than the live one.",
};

struct generation_watch {
    struct generation_watch_options options;
    struct sh_health_check *check;
    bool asking;
    bool closing;
    uint64_t asked_us;
    uv_timer_t timer;
};

static const char *const states[] = {"building", "ready", "live", "retired", "dropping"};

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static bool is_switching(const struct generation_watch *self)
{
    const struct model *live = model_current(self->options.binding);
    return live->dimension > 0 && !model_same(live, self->options.shown);
}

static json_t *about(const struct model *model)
{
    return json_pack("{s:s, s:s, s:I}", "model", model->name, "fingerprint",
                     model->fingerprint, "dimension", (json_int_t)model->dimension);
}

static json_t *building(const PGresult *rows)
{
    json_t *list = json_array();

    for (int row = 0; row < PQntuples(rows); row++) {
        struct sh_bytes state = sh_pg_text(rows, row, STATE);
        if (sh_bytes_is(state, "building") || sh_bytes_is(state, "ready"))
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s, s:I}", "model",
                                            PQgetvalue(rows, row, NAME), "fingerprint",
                                            PQgetvalue(rows, row, FINGERPRINT), "state",
                                            PQgetvalue(rows, row, STATE), "pending",
                                            (json_int_t)sh_pg_u64(rows, row, PENDING)));
    }
    return list;
}

static void tell(struct generation_watch *self, const PGresult *rows)
{
    const char *problem = model_problem(self->options.binding);
    bool switching = is_switching(self);
    json_t *json = json_pack(
        "{s:o, s:s, s:b, s:o}", "live", about(model_current(self->options.binding)),
        "searched", self->options.shown->fingerprint, "switching", (int)switching,
        "building", rows != NULL ? building(rows) : json_array());
    char *detail = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    sh_health_set(self->check, problem[0] == '\0' ? SH_HEALTHY : SH_DEGRADED,
                  (double)(sh_now_us() - self->asked_us) / 1e6, problem, detail);
    sh_series_set(sh_series(&switching_gauge, NULL), switching ? 1 : 0);
    free(detail); /* jansson's */
}

static void count(const PGresult *rows)
{
    for (size_t i = 0; i < SH_COUNT(states); i++) {
        const char *labels[] = {states[i]};
        uint64_t generations = 0;
        uint64_t pending = 0;
        for (int row = 0; row < PQntuples(rows); row++) {
            if (!sh_bytes_is(sh_pg_text(rows, row, STATE), states[i]))
                continue;
            generations++;
            pending += sh_pg_u64(rows, row, PENDING);
        }
        sh_series_set(sh_series(&count_gauge, labels), (double)generations);
        sh_series_set(sh_series(&pending_gauge, labels), (double)pending);
    }
}

static void on_states(void *arg, const struct sh_pg_reply *reply)
{
    struct generation_watch *self = arg;

    self->asking = false;
    if (self->closing) {
        uv_close((uv_handle_t *)&self->timer, on_closed);
        return;
    }
    if (reply->err == SH_OK)
        count(reply->results[0]);
    tell(self, reply->err == SH_OK ? reply->results[0] : NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct generation_watch *self = timer->data;
    struct sh_pg_step step = {&generation_states, NULL, 0, false};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ANSWER_MS};

    if (self->asking)
        return;
    self->asked_us = sh_now_us();
    self->asking = sh_pg_run(self->options.pg, &call, on_states, self) == SH_OK;
    if (!self->asking)
        tell(self, NULL);
}

enum sh_err generation_watch_create(uv_loop_t *loop,
                                    const struct generation_watch_options *options,
                                    struct generation_watch **out)
{
    struct generation_watch *self = sh_alloc(sizeof(*self));

    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->check = sh_health_add(options->health, "generations", false);
    if (self->check == NULL) {
        sh_free(self);
        return SH_NOMEM;
    }
    uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    uv_timer_start(&self->timer, on_timer, 0, EVERY_MS);
    *out = self;
    return SH_OK;
}

void generation_watch_close(struct generation_watch **watch)
{
    struct generation_watch *self = *watch;

    *watch = NULL;
    if (self == NULL)
        return;
    self->closing = true;
    uv_timer_stop(&self->timer);
    if (!self->asking)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}
