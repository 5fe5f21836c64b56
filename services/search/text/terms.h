/* terms: the dictionary of the text index: every term once, with its postings. */
#ifndef SEARCH_TERMS_H
#define SEARCH_TERMS_H

#include "services/search/text/postings.h"

struct term {
    uint32_t text;     /* where in the pool: a byte with its length, then itself */
    uint32_t passages; /* that hold it now; postings.count may be more */
    struct postings postings;
};

struct terms { /* {0} is an empty dictionary */
    struct term *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t *table; /* index + 1 of the term, 0: free; a power of two */
    uint32_t table_size;
    char *pool;
    uint32_t pool_len;
    uint32_t pool_capacity;
};

uint32_t terms_hash(struct sh_bytes text);
/* NULL: unknown. */
struct term *terms_find(const struct terms *terms, struct sh_bytes text, uint32_t hash);
/* Found or added; valid until the next call. NULL when out of memory. */
struct term *terms_add(struct terms *terms, struct sh_bytes text, uint32_t hash);
static inline struct sh_bytes terms_text(const struct terms *terms,
                                         const struct term *term)
{
    const uint8_t *at = (const uint8_t *)terms->pool + term->text;
    return (struct sh_bytes){at + 1, *at};
}

/* For a dictionary that is read from elsewhere: an empty one gets room for `count` items
 * and these texts; items and count are the caller's to fill in, then terms_reindex()
 * makes them found. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err terms_reserve(struct terms *terms, uint32_t count,
                                   struct sh_bytes pool);
void terms_reindex(struct terms *terms);
void terms_free(struct terms *terms);
size_t terms_bytes(const struct terms *terms);

#endif
