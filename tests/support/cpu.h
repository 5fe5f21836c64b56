/* cpu: how much processor time the test has used, for bounds that must hold on a busy
 * machine as well. Header only. */
#ifndef TESTS_CPU_H
#define TESTS_CPU_H

#include <stdint.h>
#include <time.h>

static inline uint64_t cpu_ms(void)
{
    struct timespec used;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
        return UINT64_MAX;
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

#endif
