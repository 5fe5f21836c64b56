/* bitmap: a set of slots, one bit each. Whoever makes one owns its words. */
#ifndef SEARCH_BITMAP_H
#define SEARCH_BITMAP_H

#include "shared/bytes.h"

struct bitmap {
    uint64_t *words;
    uint32_t bits;
};

static inline size_t bitmap_words(uint32_t bits)
{
    return ((size_t)bits + 63) / 64;
}

/* False beyond the end. */
static inline bool bitmap_has(const struct bitmap *map, uint32_t bit)
{
    return bit < map->bits && (map->words[bit / 64] >> (bit % 64) & 1) != 0;
}

/* `bit` < map->bits. */
static inline void bitmap_add(struct bitmap *map, uint32_t bit)
{
    map->words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline void bitmap_drop(struct bitmap *map, uint32_t bit)
{
    map->words[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

static inline uint32_t bitmap_count(const struct bitmap *map)
{
    uint32_t count = 0;
    for (size_t i = 0; i < bitmap_words(map->bits); i++)
        count += (uint32_t)__builtin_popcountll(map->words[i]);
    return count;
}

#endif
