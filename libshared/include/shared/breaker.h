/* breaker: stops calls to an endpoint that fails: after so many failures in a row only
 * one call a second goes through, until one succeeds. */
#ifndef SHARED_BREAKER_H
#define SHARED_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { SH_BREAKER_PROBE_MS = 1000 };

struct sh_breaker {
    unsigned threshold;
    unsigned failures;
    uint64_t next_ms; /* when the next probe may go */
};

static inline bool sh_breaker_open(const struct sh_breaker *breaker)
{
    return breaker->failures >= breaker->threshold;
}

/* May a call be made now? While open, true makes this call the probe. */
static inline bool sh_breaker_allow(struct sh_breaker *breaker, uint64_t now_ms)
{
    if (!sh_breaker_open(breaker))
        return true;
    if (now_ms < breaker->next_ms)
        return false;
    breaker->next_ms = now_ms + SH_BREAKER_PROBE_MS;
    return true;
}

static inline void sh_breaker_success(struct sh_breaker *breaker)
{
    breaker->failures = 0;
}

static inline void sh_breaker_failure(struct sh_breaker *breaker, uint64_t now_ms)
{
    if (breaker->failures < breaker->threshold)
        breaker->failures++;
    if (sh_breaker_open(breaker))
        breaker->next_ms = now_ms + SH_BREAKER_PROBE_MS;
}

#endif
