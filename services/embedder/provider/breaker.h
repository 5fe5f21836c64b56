/* breaker: stops calls to an endpoint that fails: after so many failures in a row only
 * one call a second goes through, until one succeeds. */
#ifndef EMBEDDER_BREAKER_H
#define EMBEDDER_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_PROBE_MS = 1000 };

struct breaker {
    unsigned threshold;
    unsigned failures;
    uint64_t next_ms; /* when the next probe may go */
};

static inline bool breaker_open(const struct breaker *breaker)
{
    return breaker->failures >= breaker->threshold;
}

/* May a call be made now? While open, true makes this call the probe. */
static inline bool breaker_allow(struct breaker *breaker, uint64_t now_ms)
{
    if (!breaker_open(breaker))
        return true;
    if (now_ms < breaker->next_ms)
        return false;
    breaker->next_ms = now_ms + BREAKER_PROBE_MS;
    return true;
}

static inline void breaker_success(struct breaker *breaker)
{
    breaker->failures = 0;
}

static inline void breaker_failure(struct breaker *breaker, uint64_t now_ms)
{
    if (breaker->failures < breaker->threshold)
        breaker->failures++;
    if (breaker_open(breaker))
        breaker->next_ms = now_ms + BREAKER_PROBE_MS;
}

#endif
