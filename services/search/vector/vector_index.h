/* vector_index: unit vectors by slot, searched exactly. Rows lie together in blocks, so
 * that growing moves none. One writer, or any number of readers, at a time: the view's
 * lock sees to it. */
#ifndef SEARCH_VECTOR_INDEX_H
#define SEARCH_VECTOR_INDEX_H

#include "services/search/filter/bitmap.h"
#include "services/search/fusion/leg.h"
#include "shared/err.h"
#include "shared/mem.h"

struct vector_index;

/* Errors: SH_INVALID (dimension 0 or above 65,536), SH_NOMEM. */
SH_CHECK enum sh_err vector_index_create(uint32_t dimension, struct vector_index **out);
void vector_index_free(struct vector_index **index);

/* Room for slots below `slots`; then vector_index_set() on them cannot fail. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err vector_index_reserve(struct vector_index *self, uint32_t slots);
/* The vector of a reserved slot, copied and brought to length 1. False when it has no
 * direction (zero, NaN): the slot then has none. */
bool vector_index_set(struct vector_index *self, uint32_t slot, const float *vector);
/* A slot without a vector is fine. */
void vector_index_remove(struct vector_index *self, uint32_t slot);
bool vector_index_has(const struct vector_index *self, uint32_t slot);
uint32_t vector_index_count(const struct vector_index *self);
uint32_t vector_index_dimension(const struct vector_index *self);
size_t vector_index_bytes(const struct vector_index *self);
/* False when a component is NaN or infinite. */
bool vector_is_finite(const float *vector, uint32_t dimension);

/* --- queries ------------------------------------------------------------------------ */

/* A query's vector as the kernels want it: in `arena`, padded, of length 1. NULL with
 * SH_OK when it has no direction. Errors: SH_NOMEM. */
SH_CHECK enum sh_err vector_query_make(const struct vector_index *self,
                                       const float *vector, struct sh_arena *arena,
                                       const float **query);
/* The cosine with every allowed slot that has a vector, in `arena`. Errors: SH_TIMEOUT,
 * SH_NOMEM. */
SH_CHECK enum sh_err vector_index_scan(const struct vector_index *self,
                                       const float *query, const struct bitmap *allowed,
                                       uint64_t deadline_ms, struct sh_arena *arena,
                                       struct leg *leg);
/* The cosine of two slots that both have a vector. */
float vector_index_between(const struct vector_index *self, uint32_t a, uint32_t b);

#endif
