/* lsa_format: the file of a fitted model, a pack (model/pack.h) of these tensors, and the
 * arithmetic that fitting and embedding must share. */
#ifndef EMBEDDER_LSA_FORMAT_H
#define EMBEDDER_LSA_FORMAT_H

#include <math.h>

#include "services/embedder/model/pack.h"
#include "services/embedder/model/words.h"
#include "shared/stopwords.h"

#define LSA_FORMAT_VERSION 1u
#define LSA_ABOUT          "about"
#define LSA_TEXT           "terms"    /* their bytes, ascending, one after another */
#define LSA_OFFSETS        "offsets"  /* terms + 1 u32: where each begins */
#define LSA_IDF            "idf"      /* ln((N + 1)/(df + 1)) by term */
#define LSA_SINGULAR       "singular" /* for people */
#define LSA_V              "v"        /* terms × dimension */

enum { LSA_TEXT_MAX = 128 << 10 }; /* bytes of a text; the rest is not looked at */

struct lsa_about {
    uint32_t version;
    uint32_t terms;
    uint32_t dimension;
    uint32_t reserved;
    uint64_t texts; /* that it was fitted to */
};

_Static_assert(sizeof(struct lsa_about) == 24, "part of the file format");

/* Stop words and single letters and digits of ASCII tell no texts apart. */
static inline bool lsa_is_term(const struct word *word)
{
    return word->text.len > 1 &&
           !sh_stopwords_has(sh_stopwords_of("english"), word->text);
}

static inline float lsa_weight(float count, float idf)
{
    return (1 + logf(count)) * idf;
}

static inline int lsa_compare(struct sh_bytes a, struct sh_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
