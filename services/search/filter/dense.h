/* dense: between CRoaring's bitmaps and bitmap.h's, a container at a time, by way of the
 * portable format (github.com/RoaringBitmap/RoaringFormatSpec): the one that every
 * version of the library writes and reads, in which a dense container is its words. Pure:
 * any thread. */
#ifndef SEARCH_DENSE_H
#define SEARCH_DENSE_H

#include <roaring/roaring.h>

#include "services/search/filter/bitmap.h"
#include "shared/err.h"
#include "shared/mem.h"

/* *out lives in `arena`; what `from` holds is below `bits`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err dense_of(const roaring_bitmap_t *from, uint32_t bits,
                              struct sh_arena *arena, struct bitmap *out);
/* The caller frees *out. The words of `from` reach to a full container (1024 words), are
 * zero from `bits` on and all zero afterwards. Errors: SH_NOMEM. */
SH_CHECK enum sh_err dense_take(struct bitmap *from, roaring_bitmap_t **out);
size_t dense_words(uint32_t bits); /* with the rest of the last container */
/* count > 0, first + count <= map->bits. */
static inline void dense_add_run(struct bitmap *map, uint32_t first, uint32_t count)
{
    uint32_t last = first + (count - 1);
    uint64_t head = ~UINT64_C(0) << (first % 64);
    uint64_t tail = ~UINT64_C(0) >> (63 - last % 64);
    uint32_t word = first / 64;
    if (word == last / 64) {
        map->words[word] |= head & tail;
        return;
    }
    map->words[word++] |= head;
    for (; word < last / 64; word++)
        map->words[word] = ~UINT64_C(0);
    map->words[word] |= tail;
}

#endif
