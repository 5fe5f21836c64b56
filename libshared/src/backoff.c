#include "backoff.h"

#include "shared/trace.h"

enum { LEAST_MS = 100, MOST_MS = 1000 };

uint64_t backoff_ms(unsigned failures)
{
    uint64_t wait = failures < 4 ? (uint64_t)LEAST_MS << failures : MOST_MS;
    uint16_t random;

    wait = wait < MOST_MS ? wait : MOST_MS;
    sh_random(&random, sizeof(random));
    return wait / 2 + wait * random / (2 * (uint64_t)UINT16_MAX);
}
