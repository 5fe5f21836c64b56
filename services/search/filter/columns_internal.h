/* columns_internal: the inside of the columns, for their own files only. */
#ifndef SEARCH_COLUMNS_INTERNAL_H
#define SEARCH_COLUMNS_INTERNAL_H

#include "services/search/filter/columns.h"
#include "services/search/filter/filter_internal.h"
#include "services/search/filter/ordered.h"
#include "services/search/filter/texts.h"

struct column {
    struct column *next; /* of the same bucket */
    uint32_t hash;
    uint32_t key_len;
    struct slot_set having; /* of metadata: the documents with any value */
    struct slot_set flags[2];
    struct texts texts;
    struct ordered numbers;
    struct ordered dates;              /* texts that are dates once more, by their time */
    struct ordered cells[GEO_SPHERES]; /* positions under this key */
    uint64_t turn;                     /* of the change that `first` was noted in */
    double first;                      /* the first number that the document has here */
    char *key;                         /* behind it */
};

struct columns {
    struct column fixed[FIELD_METADATA];
    struct column **buckets; /* of metadata, by key */
    uint32_t bucket_count;   /* a power of two, or 0 */
    uint32_t column_count;
    struct places places;
    roaring_bitmap_t *all; /* every slot that was put */
    uint64_t seed;         /* of the hashes */
    uint64_t turn;         /* counts changes */
    size_t bytes;          /* but `all` and `places` */
};

/* NULL: no document has this key. */
struct column *columns_find(const struct columns *self, struct sh_bytes key);
/* Found or added. NULL: out of memory. */
struct column *columns_add(struct columns *self, struct sh_bytes key);
/* It goes when no document has a value or a position under its key. */
void columns_drop_if_empty(struct columns *self, struct column *column);
/* What the column holds, not the column. */
void column_clear(struct column *column, size_t *bytes);

#endif
