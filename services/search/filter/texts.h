/* texts: the texts of an attribute, each once, with the documents that have it: a hash
 * table. Hashes are seeded (XXH3), so that nobody can choose texts that fall together.
 * Written by one thread at a time. */
#ifndef SEARCH_TEXTS_H
#define SEARCH_TEXTS_H

#include "services/search/filter/slot_set.h"

struct text_value {
    struct slot_set set;
    struct text_value *next; /* of the same bucket */
    uint32_t hash;
    uint32_t len;
    char text[];
};

struct texts { /* {0} is empty */
    struct text_value **buckets;
    uint32_t bucket_count; /* a power of two, or 0 */
    uint32_t count;
};

uint32_t texts_hash(struct sh_bytes text, uint64_t seed);
/* NULL: unknown. */
struct text_value *texts_find(const struct texts *texts, struct sh_bytes text,
                              uint32_t hash);
/* Found or added with an empty set. NULL: out of memory. */
struct text_value *texts_add(struct texts *texts, struct sh_bytes text, uint32_t hash,
                             size_t *bytes);
/* `value` is one of them, its set empty. */
void texts_drop(struct texts *texts, struct text_value *value, size_t *bytes);
void texts_free(struct texts *texts, size_t *bytes);

#endif
