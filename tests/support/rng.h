/* rng: random numbers that are the same for the same seed. */
#ifndef TESTS_RNG_H
#define TESTS_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/bytes.h"

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng) /* splitmix64 */
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t rng_below(struct rng *rng, uint32_t end)
{
    return (uint32_t)(rng_next(rng) % end);
}

static inline double rng_between(struct rng *rng, double low, double high)
{
    return low + (high - low) * ((double)(rng_next(rng) >> 11) / 9007199254740992.0);
}

static inline bool rng_chance(struct rng *rng, uint32_t percent)
{
    return rng_below(rng, 100) < percent;
}

static inline const char *rng_word(struct rng *rng, const char *const *words,
                                   size_t count)
{
    return words[rng_below(rng, (uint32_t)count)];
}

#define WORD(rng, words) rng_word(rng, words, SH_COUNT(words))

#endif
