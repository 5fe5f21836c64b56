/* query_vectors: the vectors of questions that were asked lately, so that asking one
 * again does not cost a call of the embedder. What is kept under is the model's
 * fingerprint and the question's bytes, all of them; of those that fall into one place
 * the one longest unused goes. One thread. */
#ifndef SEARCH_QUERY_VECTORS_H
#define SEARCH_QUERY_VECTORS_H

#include "shared/bytes.h"
#include "shared/err.h"

struct query_vectors;

/* Room for about so many; memory is taken as they come. Errors: SH_NOMEM. */
SH_CHECK enum sh_err query_vectors_create(uint32_t count, struct query_vectors **out);
/* `dimension` numbers, valid until the next call; NULL: not kept. `self` NULL is fine,
 * here and below. */
const float *query_vectors_find(struct query_vectors *self, struct sh_bytes fingerprint,
                                struct sh_bytes question, uint32_t dimension);
/* A copy; long questions, and those for which there is no memory, are not kept. */
void query_vectors_keep(struct query_vectors *self, struct sh_bytes fingerprint,
                        struct sh_bytes question, const float *vector,
                        uint32_t dimension);
/* The questions asked last, each once; at most `most`, borrowed until the next call of
 * query_vectors_keep(). */
size_t query_vectors_recent(const struct query_vectors *self, struct sh_bytes *out,
                            size_t most);
void query_vectors_free(struct query_vectors **vectors);

#endif
