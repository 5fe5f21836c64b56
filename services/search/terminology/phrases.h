/* phrases: which words and runs of words of a language's texts look like terms.
 *
 * Candidates are runs of one to PHRASE_WORDS words with nothing but a space or a hyphen
 * between them, that neither begin nor end with a stop word; inside one there may be a
 * word that links ("degree of freedom"). What has the same stems is the same candidate.
 * Scored by the C-value of K. Frantzi, S. Ananiadou and H. Mima, "Automatic recognition
 * of multi-word terms: the C-value/NC-value method", Int. J. on Digital Libraries 3
 * (2000), with log2(words + 1) in place of log2(words), so that single words count too
 * (A. Barrón-Cedeño et al., "An improved automatic term recognition method for Spanish",
 * CICLing 2009); a single word's is multiplied by its inverse document frequency (K.
 * Spärck Jones 1972), scaled to 0..1. Of more different runs than are kept the rare ones
 * go, by lossy counting (G. Manku and R. Motwani, VLDB 2002): counts are then at most
 * phrases_missed() too low.
 *
 * Stop words are those of the index (English) and, for German, French, Spanish, Italian,
 * Portuguese and Dutch, lists of its own; other languages have none. Parts of speech are
 * not known: verbs and adverbs are proposed as nouns are, and somebody has to look. In
 * texts written without spaces no words are found. One thread at a time. */
#ifndef SEARCH_PHRASES_H
#define SEARCH_PHRASES_H

#include "services/search/text/analyzer.h"
#include "shared/mem.h"

enum { PHRASE_WORDS = 5, PHRASE_FORMS = 4, PHRASE_CONTEXTS = 5, PHRASE_BYTES = 256 };

struct phrases;

struct phrase_context {
    uint32_t document; /* as it was given */
    uint32_t ordinal;
    uint32_t start; /* characters before it in the text */
    struct sh_bytes form;
};

struct phrase {
    struct sh_bytes key;  /* stems, a NUL behind each */
    struct sh_bytes form; /* as it is written most often */
    uint32_t words;
    uint64_t frequency;
    uint64_t documents;
    double score;
    struct phrase_context contexts[PHRASE_CONTEXTS]; /* each in another document */
    uint32_t context_count;
};

/* `language` as language.h has it; at most `most` different runs are kept (at least
 * 1,000). Errors: SH_NOMEM. */
SH_CHECK enum sh_err phrases_create(unsigned language, size_t most, struct phrases **out);
void phrases_free(struct phrases **self);

/* A text of a document; texts of one document come one after the other, documents are
 * numbered upwards. Errors: SH_NOMEM; what was counted stays. */
SH_CHECK enum sh_err phrases_add(struct phrases *self, uint32_t document,
                                 uint32_t ordinal, struct sh_bytes text);
size_t phrases_count(const struct phrases *self); /* different runs now */
uint64_t phrases_missed(const struct phrases *self);

struct phrase_wish {
    uint64_t frequency; /* at least */
    size_t most;
    uint64_t documents; /* that were read */
};
/* The best, in the arena, best first; what they point to goes with `self`. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err phrases_rank(struct phrases *self, const struct phrase_wish *wish,
                                  struct sh_arena *arena, struct phrase **out,
                                  size_t *count);

#endif
