/* lexicon: the terms in the order of their bytes: what begins with something, and what is
 * an edit or two away from it. Terms that came after it was made are looked through one
 * by one, so it is made anew now and then. */
#ifndef SEARCH_LEXICON_H
#define SEARCH_LEXICON_H

#include "services/search/text/terms.h"

struct lexicon {
    uint32_t *order;  /* terms [0, count) */
    uint32_t *shapes; /* of them in this order: by these most are told to be far */
    uint32_t count;
};

struct lexicon_hit {
    uint32_t term;
    uint32_t passages;
    uint32_t distance;
};

enum { LEXICON_HITS = 50 };

/* False: the term is as if it were not there. */
typedef bool lexicon_fn(void *arg, uint32_t term);

struct lexicon_hits {  /* of the least distance, those that most passages hold */
    lexicon_fn *takes; /* the caller's; NULL: each term. Asked of those that would do */
    void *arg;
    struct lexicon_hit items[LEXICON_HITS];
    uint32_t count;
};

/* From an older one of the same terms. Errors: SH_NOMEM. */
SH_CHECK enum sh_err lexicon_make(const struct terms *terms, const struct lexicon *old,
                                  struct lexicon *out);
/* `shapes` of one whose `order` was read from elsewhere. Errors: SH_NOMEM. */
SH_CHECK enum sh_err lexicon_shape(const struct terms *terms, struct lexicon *lexicon);
void lexicon_free(struct lexicon *lexicon);
bool lexicon_is_old(const struct lexicon *lexicon, const struct terms *terms);

/* Each term that begins with `prefix`, whether passages hold it or not: those in order,
 * then those that came later. */
struct lexicon_walk {
    const struct lexicon *lexicon;
    const struct terms *terms;
    struct sh_bytes prefix; /* borrowed */
    uint32_t at;
    bool ordered; /* `at` is a place in the order, else a term */
};

void lexicon_start(struct lexicon_walk *walk, const struct lexicon *lexicon,
                   const struct terms *terms, struct sh_bytes prefix);
/* False at the end. */
bool lexicon_next(struct lexicon_walk *walk, uint32_t *term);

/* Terms in passages that begin with `prefix`. */
void lexicon_prefix(const struct lexicon *lexicon, const struct terms *terms,
                    struct sh_bytes prefix, struct lexicon_hits *hits);
/* Terms in passages at most so many edits away: a character more, less, or another, or
 * two neighbours exchanged. */
void lexicon_near(const struct lexicon *lexicon, const struct terms *terms,
                  struct sh_bytes word, uint32_t most, struct lexicon_hits *hits);
/* Those exactly one edit away, whether the word itself is a term or not. */
void lexicon_beside(const struct lexicon *lexicon, const struct terms *terms,
                    struct sh_bytes word, struct lexicon_hits *hits);

#endif
