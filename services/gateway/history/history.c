#include "services/gateway/history/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/history/ring.h"
#include "shared/clock.h"

/* A row of the rings: gauges, counters, then as many TIMES as there are routes and two
 * more. The ring of steps ends before those of the routes. */
enum { IN_FLIGHT, CONNECTIONS, POOL_SIZE, POOL_ACTIVE, SAID, GAUGES = SAID + SAID_COUNT };
enum { REFUSED = GAUGES, HITS, MISSES, FIXED };
enum { COUNTS = METER_BOUNDS + 1, MILLISECONDS = COUNTS, ERRORS, TIMES };
enum { OF_ALL = FIXED, OF_SEARCHES = OF_ALL + TIMES, OF_ROUTES = OF_SEARCHES + TIMES };

struct followed {
    const struct route *route; /* NULL: unknown paths */
    const struct sh_series *seconds;
    bool searches;
};

struct history {
    pthread_mutex_t lock; /* over the rings and what is read for them */
    uv_timer_t timer;
    const char *instance;
    double begun_at;
    struct ring *steps;
    struct ring *minutes;
    unsigned ticks;
    struct followed *followed;
    size_t count;
    uint64_t *values; /* a row as it stands */
    uint64_t *sums;
    uint64_t said[SAID_COUNT];
};

static double clock_s(void)
{
    return (double)sh_now_us() / 1e6;
}

static size_t width(const struct history *self)
{
    return OF_ROUTES + self->count * TIMES;
}

/* --- what the metrics say --------------------------------------------------------- */

static uint64_t gauge(const char *name)
{
    double value = sh_metrics_sum(name);
    return value > 0 ? (uint64_t)value : 0;
}

static void on_cache(void *arg, const char *const *labels, double value)
{
    struct history *self = arg;

    if (strcmp(labels[1], "success") != 0)
        return;
    if (strcmp(labels[0], "hit") == 0 || strcmp(labels[0], "shared") == 0)
        self->values[HITS] += (uint64_t)value;
    else if (strcmp(labels[0], "miss") == 0)
        self->values[MISSES] += (uint64_t)value;
}

/* Labels: method, endpoint, status. */
static void on_status(void *arg, const char *const *labels, double value)
{
    struct history *self = arg;
    long status = strtol(labels[2], NULL, 10);
    size_t i = 0;

    if (status < 500 && status != 401 && status != 403 && status != 429)
        return;
    while (i < self->count &&
           strcmp(labels[1], meter_endpoint(self->followed[i].route)) != 0)
        i++;
    if (i == self->count)
        return;
    if (status < 500)
        self->values[REFUSED] += (uint64_t)value;
    else
        self->values[OF_ROUTES + i * TIMES + ERRORS] += (uint64_t)value;
}

static void add(uint64_t *to, const uint64_t *times)
{
    for (size_t i = 0; i < TIMES; i++)
        to[i] += times[i];
}

/* Under the lock: a row of figures as they stand. */
static const uint64_t *read_values(struct history *self)
{
    uint64_t *values = self->values;

    memset(values, 0, width(self) * sizeof *values);
    values[IN_FLIGHT] = gauge("cairn_http_requests_in_flight");
    values[CONNECTIONS] = gauge("cairn_http_connections");
    values[POOL_SIZE] = gauge("cairn_pg_pool_size");
    values[POOL_ACTIVE] = gauge("vector_search_active_connections");
    memcpy(&values[SAID], self->said, sizeof self->said);
    sh_metrics_each("cache_operations_total", on_cache, self);
    sh_metrics_each("http_requests_total", on_status, self);
    for (size_t i = 0; i < self->count; i++) {
        const struct followed *one = &self->followed[i];
        uint64_t *times = &values[OF_ROUTES + i * TIMES];
        for (size_t b = 0; b < COUNTS; b++)
            times[b] = sh_series_bucket(one->seconds, b);
        times[MILLISECONDS] = (uint64_t)(sh_series_value(one->seconds) * 1000);
        add(&values[OF_ALL], times);
        if (one->searches)
            add(&values[OF_SEARCHES], times);
    }
    return values;
}

void history_say(struct history *self, const double said[static SAID_COUNT])
{
    pthread_mutex_lock(&self->lock);
    said_to_gauges(said, self->said);
    pthread_mutex_unlock(&self->lock);
}

void history_tick(struct history *self, double now_s)
{
    pthread_mutex_lock(&self->lock);
    const uint64_t *values = read_values(self);
    ring_end_step(self->steps, now_s, values);
    if (self->ticks++ % (60 / HISTORY_STEP_S) == 0)
        ring_end_step(self->minutes, now_s, values);
    pthread_mutex_unlock(&self->lock);
}

/* --- life ------------------------------------------------------------------------- */

static bool is_followed(const struct route *route)
{
    bool stream =
        route->answer != NULL && strcmp(route->answer, "text/event-stream") == 0;
    return !stream && (route->flags & (ROUTE_QUIET | ROUTE_HIDDEN)) == 0;
}

/* And unknown paths, the last of them. */
static void follow(struct history *self, const struct route *routes, size_t count)
{
    for (size_t i = 0; i <= count; i++) {
        const struct route *route = i < count ? &routes[i] : NULL;
        if (route == NULL || is_followed(route))
            self->followed[self->count++] =
                (struct followed){route, meter_seconds(route),
                                  route != NULL && (route->handle == search_post ||
                                                    route->handle == search_get)};
    }
}

static enum sh_err make(struct history *self, const struct route *routes, size_t count)
{
    struct ring_shape shape = {HISTORY_STEPS, GAUGES, OF_ROUTES - GAUGES};

    self->followed = sh_alloc_array(count + 1, sizeof *self->followed);
    if (self->followed == NULL)
        return SH_NOMEM;
    follow(self, routes, count);
    self->values = sh_alloc_array(width(self), sizeof *self->values);
    self->sums = sh_alloc_array(width(self), sizeof *self->sums);
    if (self->values == NULL || self->sums == NULL)
        return SH_NOMEM;
    enum sh_err err = ring_create(&shape, &self->steps);
    shape.steps = HISTORY_MINUTES;
    shape.counters = (uint32_t)width(self) - GAUGES;
    if (err == SH_OK)
        err = ring_create(&shape, &self->minutes);
    return err;
}

static void unmake(struct history *self)
{
    ring_free(&self->steps);
    ring_free(&self->minutes);
    sh_free(self->followed);
    sh_free(self->values);
    sh_free(self->sums);
    pthread_mutex_destroy(&self->lock);
    sh_free(self);
}

static void on_timer(uv_timer_t *timer)
{
    history_tick(timer->data, clock_s());
}

static void on_closed(uv_handle_t *handle)
{
    unmake(handle->data);
}

enum sh_err history_open(uv_loop_t *loop, const char *instance,
                         const struct route *routes, size_t count, struct history **out)
{
    const uint64_t step_ms = HISTORY_STEP_S * UINT64_C(1000);
    struct history *self = sh_alloc(sizeof *self);

    if (self == NULL)
        return SH_NOMEM;
    pthread_mutex_init(&self->lock, NULL); /* cannot fail without attributes */
    self->instance = instance;
    self->begun_at = sh_wall_time();
    memset(self->said, 0xff, sizeof self->said); /* RING_UNKNOWN */
    if (make(self, routes, count) != SH_OK) {
        unmake(self);
        return SH_NOMEM;
    }
    history_tick(self, clock_s());
    self->timer.data = self;
    /* neither can fail: the loop is open and the callback is set */
    (void)uv_timer_init(loop, &self->timer);
    (void)uv_timer_start(&self->timer, on_timer, step_ms, step_ms);
    *out = self;
    return SH_OK;
}

void history_close(struct history **self)
{
    if (*self != NULL)
        uv_close((uv_handle_t *)&(*self)->timer, on_closed);
    *self = NULL;
}

/* --- looking ---------------------------------------------------------------------- */

static struct history_times times_of(const uint64_t *from)
{
    struct history_times times = {.milliseconds = from[MILLISECONDS],
                                  .errors = from[ERRORS]};

    memcpy(times.counts, from, sizeof times.counts);
    return times;
}

/* `values` is a row, or the first part of one. */
static struct history_figures figures_of(const uint64_t *values)
{
    struct history_figures figures = {.in_flight = values[IN_FLIGHT],
                                      .connections = values[CONNECTIONS],
                                      .pool_size = values[POOL_SIZE],
                                      .pool_active = values[POOL_ACTIVE],
                                      .refused = values[REFUSED],
                                      .cache_hits = values[HITS],
                                      .cache_misses = values[MISSES],
                                      .all = times_of(&values[OF_ALL]),
                                      .searches = times_of(&values[OF_SEARCHES])};

    said_of_gauges(&values[SAID], figures.said);
    return figures;
}

static void take_step(struct history_figures *out, const struct ring_step *step,
                      double since_1970)
{
    uint64_t values[OF_ROUTES];

    for (size_t i = 0; i < GAUGES; i++)
        values[i] = ring_gauge(step, i);
    for (size_t i = GAUGES; i < OF_ROUTES; i++)
        values[i] = step->values[i];
    *out = figures_of(values);
    out->seconds = step->seconds;
    out->ended_at = since_1970 + step->ended_s;
}

/* `since_1970` is what the wall clock is ahead of ours. */
static size_t take_steps(const struct history *self, double now_s, double since_1970,
                         struct history_figures *out)
{
    uint32_t row[OF_ROUTES];
    struct ring_step running = {now_s, 0, row};
    size_t count = ring_count(self->steps);

    for (size_t i = 0; i < count; i++) {
        struct ring_step step = ring_at(self->steps, i);
        take_step(&out[i], &step, since_1970);
    }
    running.seconds = ring_running(self->steps, now_s, self->values, row);
    if (running.seconds > 0)
        take_step(&out[count++], &running, since_1970);
    return count;
}

static int slower_first(const void *a, const void *b)
{
    const struct history_times *x = &((const struct history_route *)a)->times;
    const struct history_times *y = &((const struct history_route *)b)->times;
    double by = history_within(y, 0.95) - history_within(x, 0.95);

    if (by == 0)
        by = history_mean(y) - history_mean(x);
    return (by > 0) - (by < 0);
}

static size_t take_routes(const struct history *self, const uint64_t *values,
                          struct history_route *out)
{
    size_t count = 0;

    for (size_t i = 0; i < self->count; i++) {
        struct history_times times = times_of(&values[OF_ROUTES + i * TIMES]);
        if (history_requests(&times) > 0)
            out[count++] = (struct history_route){self->followed[i].route, times};
    }
    qsort(out, count, sizeof *out, slower_first);
    return count < HISTORY_ROUTES ? count : HISTORY_ROUTES;
}

static void look(struct history *self, unsigned minutes, struct history_figures *steps,
                 struct history_route *routes, struct history_view *out)
{
    double now_s = clock_s();
    double since_1970 = sh_wall_time() - now_s;
    const uint64_t *values = read_values(self);

    out->step_count = take_steps(self, now_s, since_1970, steps);
    memcpy(self->sums, values, GAUGES * sizeof *values);
    double seconds = ring_sum(self->minutes, now_s - minutes * 60.0, now_s, values,
                              &self->sums[GAUGES]);
    out->sums = figures_of(self->sums);
    out->sums.seconds = seconds;
    out->sums.ended_at = since_1970 + now_s;
    out->route_count = take_routes(self, self->sums, routes);
}

enum sh_err history_look(struct history *self, unsigned minutes, struct sh_arena *arena,
                         struct history_view *out)
{
    struct history_figures *steps =
        sh_arena_array(arena, HISTORY_STEPS + 1, sizeof *steps);
    struct history_route *routes = sh_arena_array(arena, self->count, sizeof *routes);

    if (steps == NULL || routes == NULL)
        return SH_NOMEM;
    *out = (struct history_view){.instance = self->instance,
                                 .begun_at = self->begun_at,
                                 .steps = steps,
                                 .routes = routes};
    pthread_mutex_lock(&self->lock);
    look(self, minutes, steps, routes, out);
    pthread_mutex_unlock(&self->lock);
    return SH_OK;
}

/* --- for the health page ---------------------------------------------------------- */

double history_search_ms(struct history *self)
{
    double now_s = clock_s();

    pthread_mutex_lock(&self->lock);
    ring_sum(self->minutes, now_s - 15 * 60.0, now_s, read_values(self),
             &self->sums[GAUGES]);
    struct history_times times = times_of(&self->sums[OF_SEARCHES]);
    pthread_mutex_unlock(&self->lock);
    return history_mean(&times) * 1000;
}
