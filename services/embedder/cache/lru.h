/* lru: vectors kept in memory, the least recently used ones dropped when the bytes
 * exceed the limit. Loop thread only. */
#ifndef EMBEDDER_LRU_H
#define EMBEDDER_LRU_H

#include "shared/bytes.h"
#include "shared/err.h"

enum { LRU_KEY_BYTES = 32 };

struct lru;

/* max_bytes 0 keeps nothing. Errors: SH_NOMEM. */
SH_CHECK enum sh_err lru_create(size_t max_bytes, struct lru **out);
void lru_free(struct lru **self);

/* Borrowed until the next call; NULL when it is not there (or of another dimension). */
const float *lru_get(struct lru *self, const uint8_t key[LRU_KEY_BYTES],
                     uint32_t dimension, uint32_t *tokens);
/* Copied; out of memory keeps nothing: it is a cache. */
void lru_put(struct lru *self, const uint8_t key[LRU_KEY_BYTES], const float *vector,
             uint32_t dimension, uint32_t tokens);
void lru_clear(struct lru *self);
size_t lru_bytes(const struct lru *self);
size_t lru_count(const struct lru *self);

#endif
