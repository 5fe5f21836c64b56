#include "services/search/text/text_score.h"

#include <math.h>

/* Smaller ones are taken as this: it is divided by. */
static const double least_k1 = 1e-3;

struct scorer scorer_of(const struct text_index *index)
{
    const struct text_options *options = &index->options;
    double mean = index->live > 0 ? (double)index->body_total / index->live : 0;
    struct scorer scorer = {
        .index = index,
        .k1 = (float)fmax(options->k1, least_k1),
        .floor = (float)(1 - options->b),
        .slope = (float)(options->b / (mean > 0 ? mean : 1)),
    };
    for (int field = 0; field < TEXT_FIELDS; field++)
        scorer.weight[field] = (float)options->weight[field];
    return scorer;
}

static double rarity(const struct text_index *self, uint32_t passages)
{
    double all = self->live;
    double with = passages;
    return log(1 + (all - with + 0.5) / (with + 0.5));
}

/* Rare terms that nobody asked for must not weigh more than what was: they all count as
 * if they were as frequent as the most frequent of the word. */
uint32_t scorer_forms(const struct text_index *index, const struct text_word *word,
                      struct scored_form forms[TEXT_FORMS])
{
    uint32_t asked = 0;
    uint32_t count = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < word->count && count < TEXT_FORMS; i++) {
        const struct text_form *form = &word->forms[i];
        const struct term *term = terms_find(&index->terms, form->text, form->hash);
        if (!term || term->passages == 0)
            continue;
        forms[count++] = (struct scored_form){term, form->weight * (float)word->times};
        asked += i < word->asked;
        most = term->passages > most ? term->passages : most;
    }
    for (uint32_t i = 0; i < count; i++)
        forms[i].factor *=
            (float)rarity(index, i < asked ? forms[i].term->passages : most);
    return count;
}

/* In lanes of vectors: loops of one length without a branch. */
void scorer_block(const struct scorer *self, const struct postings_cursor *cursor,
                  float factor, float scores[POSTINGS_BLOCK])
{
    float norms[POSTINGS_BLOCK] = {0};
    for (uint32_t i = 0; i < cursor->count; i++)
        norms[i] = scorer_norm(self, self->index->bodies[cursor->passages[i]]);
    const struct scorer scorer = *self;
    float rates[POSTINGS_BLOCK];
    for (int i = 0; i < POSTINGS_BLOCK; i++) {
        const float tf[TEXT_FIELDS] = {
            [TEXT_TITLE] = (float)(int32_t)cursor->tf[TEXT_TITLE][i],
            [TEXT_HEADING] = (float)(int32_t)cursor->tf[TEXT_HEADING][i],
            [TEXT_BODY] = (float)(int32_t)cursor->tf[TEXT_BODY][i]};
        rates[i] = scorer_rate(&scorer, tf, norms[i], factor);
    }
    memcpy(scores, rates, sizeof(rates));
}
