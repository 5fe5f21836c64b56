/* words: a question for names, and how well a node answers it. Pure. */
#ifndef GRAPH_WORDS_H
#define GRAPH_WORDS_H

#include "services/graph/find/fold.h"
#include "services/graph/view/graph.h"

enum { WORDS_MAX = 16, WORDS_KEYS = 16 };

enum words_match {               /* best first */
                   MATCH_EXACT,  /* the name is what was asked for */
                   MATCH_PREFIX, /* it begins like that */
                   MATCH_WORDS,  /* it has all of the words, in any order; the last may be
                                    begun only */
                   MATCH_FUZZY,  /* and some of them with mistakes */
                   MATCH_NONE,
};

/* "exact" … */
const char *words_match_name(enum words_match match);

struct words {
    struct sh_bytes folded; /* the whole; borrowed */
    struct sh_bytes words[WORDS_MAX];
    unsigned edits[WORDS_MAX];
    size_t count; /* 0: nothing is found by it; words over WORDS_MAX are not asked for */
};

/* Properties that are names. */
struct words_keys {
    uint32_t keys[WORDS_KEYS];
    size_t count;
};

/* `folded` is what fold_text() made of the question; it is borrowed. */
void words_read(struct sh_bytes folded, struct words *out);
/* How a word of a name answers a word of the question. */
bool words_begins(const struct words *words, size_t i, struct sh_bytes word);
bool words_nearly(const struct words *words, size_t i, struct sh_bytes word);
/* The best of the node's names. `scratch` is used meanwhile. Errors stick in it. */
enum words_match words_match_node(const struct words *words,
                                  const struct words_keys *keys,
                                  const struct node_body *body,
                                  struct sh_buffer *scratch);

#endif
