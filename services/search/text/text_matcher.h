/* text_matcher: which passages hold words that must be there, or must not; for the files
 * of the text index only. One thread. */
#ifndef SEARCH_TEXT_MATCHER_H
#define SEARCH_TEXT_MATCHER_H

#include "services/search/text/text_internal.h"

struct text_matcher {
    const struct text_index *index;
    uint64_t deadline_ms;
    uint32_t looked;        /* blocks that were read, and passages that were looked up */
    struct sh_arena arena;  /* of the bitmaps, all of passages by number */
    struct bitmap passages; /* that hold every word */
    struct bitmap more;
};

/* For `index` and `deadline_ms`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_matcher_open(struct text_matcher *matcher);
/* An empty one. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_matcher_bitmap(struct text_matcher *matcher,
                                         struct bitmap *map);
/* Of the rule's words the one in the fewest passages, and in how many it is at most. */
uint32_t text_matcher_rarest(const struct text_matcher *matcher,
                             const struct text_rule *rule, uint64_t *passages);
/* matcher->passages: those of `within` (NULL: of all) that hold every word of the rule.
 * Errors: SH_TIMEOUT. */
SH_CHECK enum sh_err text_matcher_words(struct text_matcher *matcher,
                                        const struct text_rule *rule,
                                        const struct bitmap *within);
const struct term *text_matcher_term(const struct text_matcher *matcher,
                                     const struct text_form *form);

#endif
