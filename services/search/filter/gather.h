/* gather: the union of many values' documents, as one bitmap of slots. Bitmaps are handed
 * to CRoaring together; documents of rare values come together in dense words when they
 * are more than a few. One thread at a time. */
#ifndef SEARCH_GATHER_H
#define SEARCH_GATHER_H

#include "services/search/filter/bitmap.h"
#include "services/search/filter/columns_internal.h"

enum {
    GATHER_EARLY = 64, /* documents that are not worth a pass over all slots */
    GATHER_FEW = 16,   /* a share: so few slots are looked up in each bitmap */
};

struct select { /* one columns_select() */
    const struct columns *columns;
    struct sh_arena *arena;
    struct bitmap dense; /* where documents come together; zero between unions */
    uint64_t deadline_ms;
    uint32_t ticks;
};

/* A set that is someone else's, or `own`. */
struct picked {
    const roaring_bitmap_t *set;
    roaring_bitmap_t *own;
};

void picked_drop(struct picked *picked);
/* `own` takes its place. Errors: SH_NOMEM: it is NULL. */
SH_CHECK enum sh_err picked_keep(struct picked *picked, roaring_bitmap_t *own);

struct gather { /* `select` and `within` set, the rest zero: nothing yet */
    struct select *select;
    const roaring_bitmap_t *within; /* only these slots matter; NULL: all */
    const roaring_bitmap_t **sets;
    size_t set_count;
    size_t set_capacity;
    uint32_t documents[GATHER_EARLY];
    uint32_t document_count;
    bool dense; /* the documents are in select->dense: one gather at a time */
};

/* Now and then a look at the clock. Errors: SH_TIMEOUT. */
SH_CHECK enum sh_err gather_tick(struct gather *gather);
/* Borrowed until the end. Errors: SH_NOMEM. */
SH_CHECK enum sh_err gather_bitmap(struct gather *gather, const roaring_bitmap_t *set);
/* Errors: SH_NOMEM, SH_TIMEOUT. */
SH_CHECK enum sh_err gather_set(struct gather *gather, const struct slot_set *set);
/* The union of what came together, unless `err`, which is returned then; in any case
 * `gather` holds nothing afterwards. A single bitmap is borrowed, not copied. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err gather_end(struct gather *gather, enum sh_err err,
                                struct picked *out);

#endif
