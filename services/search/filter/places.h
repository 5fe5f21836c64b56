/* places: the slots that each document's passages lie in, as runs, by a small number that
 * the filter columns know the document by. Written by one thread at a time. */
#ifndef SEARCH_PLACES_H
#define SEARCH_PLACES_H

#include "shared/bytes.h"
#include "shared/err.h"

struct slot_run {
    uint32_t first;
    uint32_t count; /* never 0 */
};

/* The slots of one document, wherever they stand: one each `stride` bytes. */
struct slot_list {
    const uint32_t *first;
    size_t stride;
    size_t count;
};

struct place {
    union {
        struct slot_run run;   /* run_count is 1 */
        struct slot_run *runs; /* ascending */
        uint32_t next_free;    /* run_count is 0: index + 1 */
    };
    uint32_t run_count;
};

struct places { /* {0} is empty */
    struct place *items;
    uint32_t count; /* numbers ever given */
    uint32_t capacity;
    uint32_t free; /* the first free one, index + 1 */
    size_t bytes;
};

/* `slots`: one at least, each once, in any order. Errors: SH_NOMEM. */
SH_CHECK enum sh_err places_add(struct places *places, const struct slot_list *slots,
                                uint32_t *number);
void places_drop(struct places *places, uint32_t number);
/* Ascending; valid until the next change. */
static inline const struct slot_run *places_runs(const struct places *places,
                                                 uint32_t number, uint32_t *count)
{
    const struct place *place = &places->items[number];
    *count = place->run_count;
    return place->run_count == 1 ? &place->run : place->runs;
}
void places_free(struct places *places);

#endif
