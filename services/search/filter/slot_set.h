/* slot_set: the documents that have one value, as slots. Most values of most attributes
 * belong to one document or a few, most answers come from the values that many share:
 * up to SLOT_SET_FEW documents are a list of their numbers (4 bytes each, however many
 * passages they have), beyond it a CRoaring bitmap of slots, which the algebra takes as
 * it is. */
#ifndef SEARCH_SLOT_SET_H
#define SEARCH_SLOT_SET_H

#include <roaring/roaring.h>

#include "services/search/filter/places.h"

enum { SLOT_SET_FEW = 32 };

struct slot_many {
    roaring_bitmap_t *slots;
    uint32_t weighed_at; /* documents when its size was last looked at */
    size_t bytes;        /* at that time */
    bool dense;          /* it was */
};

struct slot_set { /* {0} is empty */
    union {
        uint32_t one;
        uint32_t *few;
        struct slot_many *many;
    };
    uint32_t count;    /* documents */
    uint32_t capacity; /* 0: `one`; UINT32_MAX: `many`; else of `few` */
};

static inline bool slot_set_is_many(const struct slot_set *set)
{
    return set->capacity == UINT32_MAX;
}

/* The numbers of `count` documents; not for a set that is many. */
static inline const uint32_t *slot_set_documents(const struct slot_set *set)
{
    return set->capacity == 0 ? &set->one : set->few;
}

/* A document that is in it stays in it once; what it takes is added to *bytes. Errors:
 * SH_NOMEM (nothing changed). CRoaring itself does not survive a failing allocation. */
SH_CHECK enum sh_err slot_set_add(struct slot_set *set, const struct places *places,
                                  uint32_t document, size_t *bytes);
/* Nothing happens when it is not in it. An empty set holds no memory. */
void slot_set_remove(struct slot_set *set, const struct places *places, uint32_t document,
                     size_t *bytes);
/* One slot at least is in both. */
bool slot_set_meets(const struct slot_set *set, const struct places *places,
                    const roaring_bitmap_t *slots);
void slot_set_free(struct slot_set *set, size_t *bytes);

#endif
