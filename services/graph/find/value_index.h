/* value_index: from the values of one property to the nodes that have them, made of one
 * version; it never changes. It leads to candidates, of all rights and labels: some more
 * than have such a value, never fewer. Whoever asks looks at each. */
#ifndef GRAPH_VALUE_INDEX_H
#define GRAPH_VALUE_INDEX_H

#include <roaring/roaring.h>

#include "services/graph/find/seen.h"

enum value_kind { /* what is compared with each other; all else is in no index */
                  VALUES_TEXTS,
                  VALUES_NUMBERS,
                  VALUES_BOOLEANS,
                  VALUE_KINDS
};

struct value_entry {
    uint64_t order; /* of two values, the lower one has no higher one */
    uint32_t mix;   /* of a text: its hash */
    uint32_t place;
};

struct value_index {
    struct seen seen;
    uint32_t starts[VALUE_KINDS + 1];
    struct value_entry *entries; /* by kind, then order, mix and place */
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err value_index_build(const struct graph_version *version, uint32_t key,
                                       struct value_index **out);
void value_index_free(struct value_index **index);
size_t value_index_bytes(const struct value_index *index);

/* Between two values of a kind, both included. */
struct value_range {
    enum value_kind kind;
    uint64_t low;
    uint64_t high;
    bool one; /* only this text: low is high */
    uint32_t mix;
};

/* False: values of this type are in no index (null, lists, maps). */
bool value_range_equal(const struct value *value, struct value_range *out);
bool value_range_from(const struct value *value, struct value_range *out);
bool value_range_to(const struct value *value, struct value_range *out);
void value_range_prefix(struct sh_bytes prefix, struct value_range *out);

/* How many entries lie in it. */
size_t value_index_count(const struct value_index *index,
                         const struct value_range *range);
/* Their places, as far as the version's pages are those that the index was made of. */
void value_index_add(const struct value_index *index, const struct graph_version *version,
                     const struct value_range *range, roaring_bitmap_t *out);
/* The places of all other pages. */
void value_index_add_changed(const struct value_index *index,
                             const struct graph_version *version, roaring_bitmap_t *out);

#endif
