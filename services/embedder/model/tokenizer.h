/* tokenizer: text into the pieces of a SentencePiece unigram vocabulary: NFKC, a mark
 * (U+2581) before the text and for every space, then the split whose log probabilities
 * add up to most. Characters that no piece covers become piece 0, a run of them one. Any
 * thread. */
#ifndef EMBEDDER_TOKENIZER_H
#define EMBEDDER_TOKENIZER_H

#include "services/embedder/model/trie.h"

struct tokenizer {
    struct trie trie;
    const double *scores; /* by piece */
    size_t count;
};

struct pieces { /* {0} is empty; end with pieces_free() */
    uint32_t *ids;
    size_t count;
    bool cut; /* the text goes on */
};

/* Longer texts are cut before they are looked at. */
enum { TOKENIZER_TEXT_MAX = 128 << 10 };

/* At most `max` pieces. Errors: SH_MALFORMED (not UTF-8), SH_NOMEM. */
SH_CHECK enum sh_err tokenizer_encode(const struct tokenizer *tokenizer,
                                      struct sh_bytes text, size_t max,
                                      struct pieces *out);
void pieces_free(struct pieces *pieces);

#endif
