/* hashing: vectors without a model: the stems of a text's words and the character
 * trigrams of those words, hashed into 512 signed dimensions. Lexical, deterministic on
 * every machine. One thread at a time per object. */
#ifndef EMBEDDER_HASHING_H
#define EMBEDDER_HASHING_H

#include "shared/bytes.h"
#include "shared/err.h"

enum { HASHING_DIMENSION = 512, HASHING_TEXT_MAX = 128 << 10 };

struct hashing;

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err hashing_create(struct hashing **out);
void hashing_free(struct hashing **self);

/* The unit vector of a text, and how many words it has. A longer text is cut, or refused.
 * Errors: SH_INVALID (no words), SH_MALFORMED (not UTF-8), SH_TOOBIG, SH_NOMEM; `vector`
 * is then zero. */
SH_CHECK enum sh_err hashing_embed(struct hashing *self, struct sh_bytes text,
                                   bool refuse_long, float vector[HASHING_DIMENSION],
                                   size_t *words);

#endif
