/* text_score: what a posting counts, for the files of the text index only. */
#ifndef SEARCH_TEXT_SCORE_H
#define SEARCH_TEXT_SCORE_H

#include <math.h>

#include "services/search/text/text_internal.h"

enum { TEXT_FORMS = TEXT_WORD_FORMS + TEXT_LANGUAGES };

struct scored_form {
    const struct term *term;
    float factor; /* inverse document frequency, times what the word counts */
};

struct scorer {
    const struct text_index *index;
    float k1;
    float floor; /* 1 - b */
    float slope; /* b / mean length */
    float weight[TEXT_FIELDS];
};

struct scorer scorer_of(const struct text_index *index);
/* Those forms of a word that passages hold; returns how many. */
uint32_t scorer_forms(const struct text_index *index, const struct text_word *word,
                      struct scored_form forms[TEXT_FORMS]);

static inline float scorer_norm(const struct scorer *self, uint32_t body)
{
    return fmaxf(self->floor + self->slope * (float)body, 0.05F);
}

/* After postings_counts(). */
static inline float scorer_score(const struct scorer *self,
                                 const struct postings_cursor *cursor, uint32_t at,
                                 float factor)
{
    float norm = scorer_norm(self, self->index->bodies[cursor->passages[at]]);
    float tf = self->weight[TEXT_BODY] * (float)cursor->tf[TEXT_BODY][at] / norm +
               self->weight[TEXT_HEADING] * (float)cursor->tf[TEXT_HEADING][at] +
               self->weight[TEXT_TITLE] * (float)cursor->tf[TEXT_TITLE][at];
    return factor * tf * (self->k1 + 1) / (tf + self->k1);
}

/* No posting of the block scores more; a little is added for rounding. */
static inline float scorer_bound(const struct scorer *self,
                                 const struct postings_block *block, float factor)
{
    float tf = self->weight[TEXT_BODY] * (float)block->most[TEXT_BODY] /
               scorer_norm(self, block->least_body);
    bool more = block->most[TEXT_BODY] == UINT8_MAX;
    for (int field = 0; field < TEXT_BODY; field++) {
        tf += self->weight[field] * (float)block->most[field];
        more = more || block->most[field] == UINT8_MAX;
    }
    float most = factor * (self->k1 + 1) * 1.0001F;
    return more ? most : most * tf / (tf + self->k1);
}

#endif
