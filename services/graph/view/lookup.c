#include "services/graph/view/lookup.h"

#include <xxhash.h>

#include "shared/mem.h"

enum { LEAST = 16 };

uint64_t lookup_hash(struct sh_bytes text)
{
    return XXH3_64bits(text.data, text.len);
}

struct lookup *lookup_create(uint32_t numbers)
{
    size_t cells = LEAST;
    while (cells < (size_t)numbers * 2)
        cells *= 2;
    if (cells > UINT32_MAX)
        return NULL;
    struct lookup *table = sh_alloc(sizeof(*table) + cells * sizeof(table->cells[0]));
    if (table != NULL)
        table->mask = (uint32_t)(cells - 1);
    return table;
}

bool lookup_is_full(const struct lookup *table)
{
    return table->used >= table->mask / 4 * 3;
}

void lookup_add(struct lookup *table, uint64_t hash, uint32_t number)
{
    uint32_t cell = (uint32_t)hash & table->mask;
    while (atomic_load_explicit(&table->cells[cell], memory_order_relaxed) != 0)
        cell = (cell + 1) & table->mask;
    atomic_store_explicit(&table->cells[cell],
                          (hash & ~(uint64_t)UINT32_MAX) | (number + UINT32_C(1)),
                          memory_order_release);
    table->used++;
}

bool lookup_next(const struct lookup *table, struct lookup_probe *probe, uint32_t *number)
{
    for (;;) {
        uint32_t cell = ((uint32_t)probe->hash + probe->step++) & table->mask;
        uint64_t found = atomic_load_explicit(&table->cells[cell], memory_order_acquire);
        if (found == 0)
            return false;
        if (found >> 32 == probe->hash >> 32) {
            *number = (uint32_t)found - 1;
            return true;
        }
    }
}
