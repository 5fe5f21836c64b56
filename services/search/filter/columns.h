/* columns: the filter's side of the view: for every attribute of the documents, which
 * slots have which value. A filter with the caller's right to read becomes one bitmap of
 * slots with its exact count, without looking at documents.
 *
 * Bitmaps are over slots, not documents: legs test slots, and the answer for a value that
 * many documents share is the value's bitmap as it stands, where a bitmap of documents
 * would have to be spread over a million slots for each query. What is rare is kept by
 * document instead (slot_set.h).
 *
 * Numbers and dates stand in order, each with its documents (ordered.h), so that a range
 * is the union of its values: years and levels are a few bitmaps, times that nobody
 * shares a walk of 24 bytes each. Positions are in order too, along rows of a grid
 * (geo.h).
 *
 * Written by one thread at a time; columns_select() any number, never beside a change. */
#ifndef SEARCH_COLUMNS_H
#define SEARCH_COLUMNS_H

#include "services/search/filter/bitmap.h"
#include "services/search/filter/filter.h"
#include "services/search/filter/places.h"

struct columns;

/* Of the documents in a selection. */
struct priorities {
    bool any; /* there is one */
    uint32_t least;
    uint32_t most;
};

struct selection {
    struct bitmap allowed;
    uint32_t count;           /* bits in it */
    struct priorities own;    /* of documents on the caller's campus */
    struct priorities others; /* of the rest */
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err columns_create(struct columns **out);
void columns_free(struct columns **out);

/* A document enters; it is known by *number from then on. `slots` are its alone. One
 * without slots takes part in nothing. `row` is copied. Errors: SH_NOMEM (nothing
 * changed). */
SH_CHECK enum sh_err columns_put(struct columns *self, const struct filter_row *row,
                                 const struct slot_list *slots, uint32_t *number);
/* `row` as it was put. Cannot fail. */
void columns_remove(struct columns *self, const struct filter_row *row, uint32_t number);
size_t columns_bytes(const struct columns *self);

/* The slots that the filter lets through, of `bits`; no put slot is beyond. *out lives in
 * `arena`. Errors: SH_NOMEM, SH_TIMEOUT. */
SH_CHECK enum sh_err columns_select(const struct columns *self,
                                    const struct filter *filter, uint32_t bits,
                                    uint64_t deadline_ms, struct sh_arena *arena,
                                    struct selection *out);

#endif
