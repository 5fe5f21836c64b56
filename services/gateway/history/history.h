/* history: the last hour of this gateway, from the figures that /metrics shows: requests,
 * refusals, times, hits of the cache, all loops together; and what the services said of
 * themselves (survey.h). Two rings (ring.h): steps of 15 seconds for lines, and minutes
 * with a histogram a route for sums.
 *
 * Left out are probes (ROUTE_QUIET), whose number says nothing about anybody's work, and
 * event streams, whose length is not a time that somebody waited. */
#ifndef GATEWAY_HISTORY_H
#define GATEWAY_HISTORY_H

#include <uv.h>

#include "services/gateway/history/said.h"
#include "services/gateway/meter.h"
#include "shared/mem.h"

enum {
    HISTORY_STEP_S = 15,
    HISTORY_STEPS = 240,
    HISTORY_MINUTES = 60,
    HISTORY_ROUTES = 20, /* that are told of at most */
};

struct history;

/* A histogram, as it grew. */
struct history_times {
    uint64_t counts[METER_BOUNDS + 1]; /* the last: longer than all bounds */
    uint64_t milliseconds;             /* together */
    uint64_t errors;                   /* of them: answered 5xx */
};

struct history_figures {
    double ended_at; /* Unix seconds, as the wall clock goes now */
    double seconds;
    uint64_t in_flight; /* these four: at its end */
    uint64_t connections;
    uint64_t pool_size;
    uint64_t pool_active;
    uint64_t refused; /* answered 401, 403 or 429 */
    uint64_t cache_hits;
    uint64_t cache_misses;
    double said[SAID_COUNT]; /* of the services, last before its end; NAN: unknown */
    struct history_times all;
    struct history_times searches;
};

struct history_route {
    const struct route *route; /* NULL: unknown paths */
    struct history_times times;
};

struct history_view {
    const char *instance;
    double begun_at;                     /* Unix seconds: since when is counted */
    const struct history_figures *steps; /* oldest first; the last is still under way */
    size_t step_count;
    struct history_figures sums;        /* of the minutes that were asked for */
    const struct history_route *routes; /* in them: the slowest first */
    size_t route_count;
};

/* Counts from now on; `routes` and `instance` must outlive it. Errors: SH_NOMEM. */
SH_CHECK enum sh_err history_open(uv_loop_t *loop, const char *instance,
                                  const struct route *routes, size_t count,
                                  struct history **out);
/* Loop thread, when no other asks any more. *self becomes NULL; memory goes on a later
 * loop turn. NULL is fine. */
void history_close(struct history **self);
/* What the services say of themselves from now on. Any thread. */
void history_say(struct history *self, const double said[static SAID_COUNT]);
/* What its timer does every 15 seconds of `now_s`, the clock of sh_now_us(). */
void history_tick(struct history *self, double now_s);

/* The last hour, and the sums of the last `minutes` of it (whole ones, and the one under
 * way). What `out` points to is in the arena. Any thread. Errors: SH_NOMEM. */
SH_CHECK enum sh_err history_look(struct history *self, unsigned minutes,
                                  struct sh_arena *arena, struct history_view *out);

/* The mean of the searches of the last 15 minutes, in milliseconds; 0: there were none.
 * Any thread. */
double history_search_ms(struct history *self);

/* How many; their mean in seconds, 0 of none. */
uint64_t history_requests(const struct history_times *times);
double history_mean(const struct history_times *times);
/* Seconds within which this share of them was answered: a bound of the histogram, its
 * last also when it took longer. 0: there were none. */
double history_within(const struct history_times *times, double share);

#endif
