/* lsa: vectors of texts by a fitted model (lsa_fit.h): the text's weighted terms times V,
 * of unit length. Words that the model does not know fall to nothing. The file is mapped;
 * a model may be used by any number of threads, an area by one at a time. */
#ifndef EMBEDDER_LSA_H
#define EMBEDDER_LSA_H

#include "services/embedder/model/pack.h"

struct lsa;
struct lsa_area;

/* *why (may be NULL) says in words what is wrong with the file, static. Errors:
 * SH_NOTFOUND, SH_MALFORMED, SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err lsa_open(const char *path, struct lsa **out, const char **why);
void lsa_close(struct lsa **self);
uint32_t lsa_dimension(const struct lsa *self);
size_t lsa_terms(const struct lsa *self);
/* How many texts it was fitted to. */
uint64_t lsa_texts(const struct lsa *self);
const struct pack *lsa_pack(const struct lsa *self);

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err lsa_area_create(struct lsa_area **out);
void lsa_area_free(struct lsa_area **self);

/* `vector` has room for lsa_dimension(); *words: those that the model knows. Errors:
 * SH_INVALID (no known word: zeros), SH_MALFORMED (not UTF-8), SH_TOOBIG, SH_NOMEM,
 * SH_INTERNAL (the model's figures are none). */
SH_CHECK enum sh_err lsa_embed(const struct lsa *self, struct lsa_area *area,
                               struct sh_bytes text, bool refuse_long, float *vector,
                               size_t *words);

#endif
