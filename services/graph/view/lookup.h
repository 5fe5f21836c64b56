/* lookup: from a hash to the numbers filed under it. It only grows: one writer adds, and
 * any number of readers look at the same time without locks. Whoever asks compares what
 * the numbers stand for: hashes meet. */
#ifndef GRAPH_LOOKUP_H
#define GRAPH_LOOKUP_H

#include <stdatomic.h>

#include "shared/bytes.h"

struct lookup {
    uint32_t mask;
    uint32_t used;            /* the writer's */
    _Atomic uint64_t cells[]; /* upper half of the hash, number + 1; 0: empty */
};

struct lookup_probe {
    uint64_t hash;
    uint32_t step; /* begin with 0 */
};

/* XXH3. */
uint64_t lookup_hash(struct sh_bytes text);
/* Room for `numbers` and half as many again; sh_free() ends it. NULL: out of memory. */
struct lookup *lookup_create(uint32_t numbers);
/* The writer has to put what still counts into another one. */
bool lookup_is_full(const struct lookup *table);
/* It will be added, or looked for, soon. (Always inline: see pages_expect().) */
__attribute__((always_inline)) static inline void
lookup_expect(const struct lookup *table, uint64_t hash)
{
    __builtin_prefetch(&table->cells[(uint32_t)hash & table->mask]);
}

/* Not when it is full. */
void lookup_add(struct lookup *table, uint64_t hash, uint32_t number);
/* The next number whose hash is likely this one; false at the end. */
bool lookup_next(const struct lookup *table, struct lookup_probe *probe,
                 uint32_t *number);

#endif
