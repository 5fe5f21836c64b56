#include "services/graph/view/numbers.h"

#include <stddef.h>

#include "shared/mem.h"

enum { LEAST = 16 };

/* Numbers are given in a row: Fibonacci hashing spreads them. */
static uint32_t first_cell(const struct numbers *table, uint64_t number)
{
    return (uint32_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & table->mask;
}

struct numbers *numbers_create(uint32_t count)
{
    size_t cells = LEAST;
    while (cells < (size_t)count * 2)
        cells *= 2;
    if (cells > UINT32_MAX)
        return NULL;
    struct numbers *table = sh_alloc(sizeof(*table) + cells * sizeof(table->cells[0]));
    if (table != NULL)
        table->mask = (uint32_t)(cells - 1);
    return table;
}

bool numbers_is_full(const struct numbers *table)
{
    return table->used >= table->mask / 4 * 3;
}

void numbers_expect(const struct numbers *table, uint64_t number)
{
    __builtin_prefetch(&table->cells[first_cell(table, number)]);
}

void numbers_add(struct numbers *table, uint64_t number, uint32_t place)
{
    uint32_t cell = first_cell(table, number);
    while (atomic_load_explicit(&table->cells[cell], memory_order_relaxed) != 0)
        cell = (cell + 1) & table->mask;
    atomic_store_explicit(&table->cells[cell], place + 1, memory_order_release);
    table->used++;
}

bool numbers_next(const struct numbers *table, struct numbers_probe *probe,
                  uint32_t *place)
{
    uint32_t cell = (first_cell(table, probe->number) + probe->step++) & table->mask;
    uint32_t found = atomic_load_explicit(&table->cells[cell], memory_order_acquire);
    *place = found - 1;
    return found != 0;
}
