/* text_together: the allowed passages that hold all of some words, and how often, where
 * and how near to them another one stands there. The work is bounded: of words that very
 * many passages hold, samples. Under the view's lock, one thread. */
#ifndef SEARCH_TEXT_TOGETHER_H
#define SEARCH_TEXT_TOGETHER_H

#include "services/search/text/text_matcher.h"
#include "services/search/text/text_phrase.h"
#include "services/search/text/text_suggest.h"

enum {
    TOGETHER_BLOCKS = 1000, /* of the rarest word's postings, that are read */
    TOGETHER_SAMPLES = 64,  /* likewise of each other one's */
    TOGETHER_FEW = 1024,    /* passages that are looked up one by one */
    TOGETHER_NEXT = 8,      /* passages that are looked at for words side by side */
};

struct text_together {
    const struct bitmap *allowed;
    struct text_matcher matcher; /* its `passages` are those, by number */
    uint32_t few[TOGETHER_FEW];  /* the same, ascending */
    uint32_t count;              /* of them; more than TOGETHER_FEW: they are not there */
    struct text_form form;       /* of the other word */
    struct text_word pair[2];    /* the word before, and the other one */
    struct text_phrase phrase;
};

/* `words` (one or more, each with its forms) are borrowed, as `allowed` is; their last is
 * the word before, and what comes stands so far behind it. To be freed in any case.
 * Errors: SH_TIMEOUT, SH_NOMEM. */
SH_CHECK enum sh_err text_together_make(struct text_together *self,
                                        const struct text_index *index,
                                        const struct text_rule *words, uint32_t offset,
                                        const struct bitmap *allowed,
                                        uint64_t deadline_ms);
void text_together_free(struct text_together *self);
/* Fills in what `one`, which has its term, has of these passages; takes from `blocks`
 * what it reads. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_together_count(struct text_together *self, uint32_t *blocks,
                                         struct text_completion *one);

#endif
