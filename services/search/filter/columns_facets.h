/* columns_facets: how many slots of a set have each value of an attribute. What is not in
 * the set is neither counted nor named. Any number of threads, never beside a change. */
#ifndef SEARCH_COLUMNS_FACETS_H
#define SEARCH_COLUMNS_FACETS_H

#include <roaring/roaring.h>

#include "services/search/filter/columns.h"

enum {
    FACET_FIELDS = 16, /* at most */
    FACET_VALUES = 50, /* at most, of a field */
    FACET_TEXT = 128,  /* bytes of a value; longer ones are prose: counted as different,
                          not named */
};

struct facet_value {
    struct sh_bytes text; /* METADATA_TEXT; borrowed from the columns */
    double number;        /* METADATA_FLAG: 0 or 1 */
    enum metadata_type type;
    uint64_t count;
};

struct facet {
    struct sh_bytes field;
    uint64_t distinct;          /* values that occur in the set */
    struct facet_value *values; /* of them the most frequent, those first; ties in order:
                                   numbers, texts by their bytes, flags */
    uint32_t count;
};

struct facets_wanted {
    const roaring_bitmap_t *of;
    const struct sh_bytes *fields; /* `collection`, or a dotted name of the metadata */
    size_t field_count;            /* FACET_FIELDS at most; 0: those that tell the slots
                                      of the set apart by a few values, 8 at most */
    uint32_t values;               /* 1 to FACET_VALUES */
    uint64_t deadline_ms;
};

/* One a field, in the order of the fields; where none were named, the one that most slots
 * have comes first. A field that nothing has has no values. *out and its lists live in
 * `arena`. Costs a look at every value of the fields. Errors: SH_NOMEM, SH_TIMEOUT. */
SH_CHECK enum sh_err columns_facets(const struct columns *self,
                                    const struct facets_wanted *wanted,
                                    struct sh_arena *arena, struct facet **out,
                                    size_t *count);

#endif
