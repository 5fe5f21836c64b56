/* text_score: what a posting counts, for the files of the text index only. */
#ifndef SEARCH_TEXT_SCORE_H
#define SEARCH_TEXT_SCORE_H

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
    float norm = self->floor + self->slope * (float)body;
    return norm > 0.05F ? norm : 0.05F;
}

/* The occurrences in a passage whose body has this norm. BM25F as by Robertson and
 * Zaragoza, 2009; both sides of the fraction times the norm. */
static inline float scorer_rate(const struct scorer *self, const float tf[TEXT_FIELDS],
                                float norm, float factor)
{
    float sum = self->weight[TEXT_BODY] * tf[TEXT_BODY] +
                norm * (self->weight[TEXT_HEADING] * tf[TEXT_HEADING] +
                        self->weight[TEXT_TITLE] * tf[TEXT_TITLE]);
    return factor * (self->k1 + 1) * sum / (sum + self->k1 * norm);
}

/* Of all postings of the block that was read, after postings_counts(). */
void scorer_block(const struct scorer *self, const struct postings_cursor *cursor,
                  float factor, float scores[POSTINGS_BLOCK]);

/* Of the one `at`; the same number. */
static inline float scorer_score(const struct scorer *self,
                                 const struct postings_cursor *cursor, uint32_t at,
                                 float factor)
{
    float tf[TEXT_FIELDS];
    for (int field = 0; field < TEXT_FIELDS; field++)
        tf[field] = (float)(int32_t)cursor->tf[field][at];
    float norm = scorer_norm(self, self->index->bodies[cursor->passages[at]]);
    return scorer_rate(self, tf, norm, factor);
}

/* No posting of the block scores more; a little is added for rounding. */
static inline float scorer_bound(const struct scorer *self,
                                 const struct postings_block *block, float factor)
{
    float tf[TEXT_FIELDS];
    bool more = false;
    for (int field = 0; field < TEXT_FIELDS; field++) {
        tf[field] = block->most[field];
        more = more || block->most[field] == UINT8_MAX;
    }
    float all = factor * (self->k1 + 1);
    float most = scorer_rate(self, tf, scorer_norm(self, block->least_body), factor);
    return (more ? all : most) * 1.0001F;
}

#endif
