/* numbers: from the number of a node or an edge to its place, four bytes a cell. It only
 * grows: one writer adds, and any number of readers look at the same time without locks.
 * Whoever asks compares what the places hold: numbers meet, and places change hands. */
#ifndef GRAPH_NUMBERS_H
#define GRAPH_NUMBERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct numbers {
    uint32_t mask;
    uint32_t used;            /* the writer's */
    _Atomic uint32_t cells[]; /* place + 1; 0: empty */
};

struct numbers_probe {
    uint64_t number;
    uint32_t step; /* begin with 0 */
};

/* Room for `count` and half as many again; sh_free() ends it. NULL: out of memory. */
struct numbers *numbers_create(uint32_t count);
/* The writer has to put what still counts into another one. */
bool numbers_is_full(const struct numbers *table);
/* It will be added soon. */
void numbers_expect(const struct numbers *table, uint64_t number);
/* Not when it is full. */
void numbers_add(struct numbers *table, uint64_t number, uint32_t place);
/* The next place that may be meant; false at the end. */
bool numbers_next(const struct numbers *table, struct numbers_probe *probe,
                  uint32_t *place);

#endif
