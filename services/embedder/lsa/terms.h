/* terms: numbers for words, in the order of their first appearance, and in how many texts
 * each was seen. One thread at a time. */
#ifndef EMBEDDER_TERMS_H
#define EMBEDDER_TERMS_H

#include <stdint.h>

#include "shared/buffer.h"

enum { TERMS_MAX = 8 << 20 }; /* further words are not taken in */
#define TERMS_NONE UINT32_MAX

struct term {
    size_t offset; /* in `pool` */
    uint32_t len;
    uint32_t texts;
};

struct terms { /* {0} is empty */
    struct sh_buffer pool;
    struct term *list;
    size_t count;
    size_t room;
    uint32_t *slots; /* a hash table of numbers + 1; 0: free */
    size_t slots_count;
};

/* *number becomes TERMS_NONE when the word is new and there are TERMS_MAX of them.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err terms_number(struct terms *self, struct sh_bytes word,
                                  uint32_t *number);
struct sh_bytes terms_word(const struct terms *self, uint32_t number);
size_t terms_bytes(const struct terms *self);
void terms_free(struct terms *self);

#endif
