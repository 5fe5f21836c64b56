/* text_phrase: whether words stand in a passage one behind the other, as a rule says by
 * their offsets; for the files of the text index only. One thread. */
#ifndef SEARCH_TEXT_PHRASE_H
#define SEARCH_TEXT_PHRASE_H

#include "services/search/text/text_internal.h"

/* Words of a passage that phrases are looked for in; passages are far shorter. The fields
 * follow one another, so that no phrase reaches from one into the next. */
enum {
    TEXT_OTHER_PLACES = 512, /* of the heading and of the title */
    TEXT_BODY_PLACES = 16384,
    TEXT_PLACE_WORDS = (2 * TEXT_OTHER_PLACES + TEXT_BODY_PLACES) / 64,
};

struct text_places { /* a set of positions */
    uint64_t words[TEXT_PLACE_WORDS];
    uint32_t used; /* words that may be other than 0 */
};

struct text_phrase_reader { /* of a form, passage by passage, ascending */
    struct postings_cursor cursor;
    const struct text_word *word;
    uint32_t at;
};

struct text_phrase {
    struct text_phrase_reader *readers;
    uint32_t reader_count;
    struct text_places start; /* where a phrase may begin */
    struct text_places found;
};

/* `rule` is borrowed, `arena` holds the readers. Errors: SH_NOMEM. */
SH_CHECK enum sh_err text_phrase_open(struct text_phrase *self,
                                      const struct text_index *index,
                                      const struct text_rule *rule,
                                      struct sh_arena *arena);
/* Whether the passage has it; it holds each word, and passages only ascend. */
bool text_phrase_at(struct text_phrase *self, uint32_t passage);

#endif
