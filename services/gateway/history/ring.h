/* ring: what gauges were and what counters grew by, step by step, for as long as there is
 * room; then the oldest step makes way. Pure: clock and figures are the caller's. Not for
 * several threads at once. */
#ifndef GATEWAY_HISTORY_RING_H
#define GATEWAY_HISTORY_RING_H

#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

/* Of a gauge: nobody knows. */
#define RING_UNKNOWN UINT64_MAX

struct ring;

struct ring_shape {
    uint32_t steps;    /* that are kept */
    uint32_t gauges;   /* the first of the values */
    uint32_t counters; /* those behind them */
};

/* Borrowed until the ring changes. */
struct ring_step {
    double ended_s; /* of the caller's clock */
    double seconds; /* that it took: more than usual when nobody ended it in time */
    const uint32_t *values;
};

/* Errors: SH_NOMEM, SH_INVALID (no steps or no values). */
SH_CHECK enum sh_err ring_create(const struct ring_shape *shape, struct ring **out);
/* *self becomes NULL. NULL is fine. */
void ring_free(struct ring **self);

/* The step under way ends with `values`: gauges as they are, counters as they stand since
 * they began. The first call only begins one. A clock that does not go on ends nothing; a
 * counter that went back has not grown. What does not fit 32 bits is cut. */
void ring_end_step(struct ring *self, double now_s, const uint64_t *values);

size_t ring_count(const struct ring *self);
/* 0 is the oldest; less than ring_count(). */
struct ring_step ring_at(const struct ring *self, size_t i);
/* What a gauge of a step was; RING_UNKNOWN if it was that. */
uint64_t ring_gauge(const struct ring_step *step, size_t i);
/* The step under way as if it ended now, written to `out`: gauges, then counters. Returns
 * its seconds; 0: there is none. */
double ring_running(const struct ring *self, double now_s, const uint64_t *values,
                    uint32_t *out);
/* `sums` becomes what each counter grew by in the step under way and in all that ended
 * after `since_s`. Returns their seconds. */
double ring_sum(const struct ring *self, double since_s, double now_s,
                const uint64_t *values, uint64_t *sums);

#endif
