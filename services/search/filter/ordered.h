/* ordered: numbers in order, each with what belongs to it. Blocks of up to 128 sorted
 * entries in a sorted list of blocks: finding is two binary searches, a change moves one
 * block's entries at most (and now and then the list of blocks), and a range is read from
 * memory in one direction. Written by one thread at a time. */
#ifndef SEARCH_ORDERED_H
#define SEARCH_ORDERED_H

#include "services/search/filter/slot_set.h"

struct position { /* on the globe */
    double lat;
    double lon;
    struct slot_set set;
};

struct positions {
    struct position *items;
    uint32_t count;
    uint32_t capacity;
};

struct ordered_entry {
    double key;
    union {
        struct slot_set set;        /* of the documents with this number */
        struct positions positions; /* of this key of the grid, see geo.h */
    };
};

struct ordered_block {
    struct ordered_entry *entries;
    uint32_t count; /* never 0 */
    uint32_t capacity;
};

struct ordered { /* {0} is empty */
    struct ordered_block *blocks;
    uint32_t count;
    uint32_t capacity;
};

struct ordered_at {
    uint32_t block;
    uint32_t index;
};

/* NULL: there is none. Valid until the next change, as below. */
struct ordered_entry *ordered_find(const struct ordered *self, double key);
/* Found or added, the rest zeroed. NULL: out of memory. */
struct ordered_entry *ordered_add(struct ordered *self, double key, size_t *bytes);
/* `entry` is of this map, and what it owns is gone. */
void ordered_drop(struct ordered *self, double key, size_t *bytes);
/* The first entry that is not below `key` (`open`: that is above it). */
struct ordered_at ordered_from(const struct ordered *self, double key, bool open);
/* NULL at the end; steps on. */
const struct ordered_entry *ordered_next(const struct ordered *self,
                                         struct ordered_at *at);
const struct ordered_entry *ordered_last(const struct ordered *self); /* NULL: empty */
/* The entries' own memory is the caller's to free first. */
void ordered_free(struct ordered *self, size_t *bytes);

#endif
