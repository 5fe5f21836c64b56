#include <math.h>

#include "services/search/text/text_internal.h"
#include "shared/clock.h"

enum { FORMS_MOST = TEXT_WORD_FORMS + TEXT_LANGUAGES, DEADLINE_BLOCKS = 64 };

struct form {
    const struct term *term;
    float factor; /* inverse document frequency, times what the word counts */
};

struct scoring {
    const struct text_index *index;
    const struct bitmap *allowed;
    struct sh_arena *arena;
    uint64_t deadline_ms;
    uint32_t blocks; /* read */
    float *scores;   /* by slot */
    float *best;     /* by slot, of the forms of a word; zero between words */
    uint32_t *touched;
    uint32_t touched_count;
    float k1;
    float floor; /* 1 - b */
    float slope; /* b / mean length */
    float weight[TEXT_FIELDS];
    struct postings_cursor cursor;
};

static float score_of(const struct scoring *scoring, uint32_t at, float factor)
{
    const struct postings_cursor *cursor = &scoring->cursor;
    uint32_t body = scoring->index->bodies[cursor->passages[at]];
    float norm = fmaxf(scoring->floor + scoring->slope * (float)body, 0.05F);
    float tf = scoring->weight[TEXT_BODY] * (float)cursor->tf[TEXT_BODY][at] / norm +
               scoring->weight[TEXT_HEADING] * (float)cursor->tf[TEXT_HEADING][at] +
               scoring->weight[TEXT_TITLE] * (float)cursor->tf[TEXT_TITLE][at];
    return factor * tf * (scoring->k1 + 1) / (tf + scoring->k1);
}

static bool is_late(struct scoring *scoring)
{
    return ++scoring->blocks % DEADLINE_BLOCKS == 0 &&
           sh_now_ms() >= scoring->deadline_ms;
}

static void add_block(struct scoring *scoring, float factor)
{
    for (uint32_t i = 0; i < scoring->cursor.count; i++) {
        uint32_t slot = text_slot(scoring->index, scoring->cursor.passages[i]);
        if (bitmap_has(scoring->allowed, slot))
            scoring->scores[slot] += score_of(scoring, i, factor);
    }
}

/* Of a word's forms the best counts, not their sum. */
static void rate_block(struct scoring *scoring, float factor)
{
    for (uint32_t i = 0; i < scoring->cursor.count; i++) {
        uint32_t slot = text_slot(scoring->index, scoring->cursor.passages[i]);
        if (!bitmap_has(scoring->allowed, slot))
            continue;
        float score = score_of(scoring, i, factor);
        if (scoring->best[slot] <= 0)
            scoring->touched[scoring->touched_count++] = slot;
        scoring->best[slot] = fmaxf(scoring->best[slot], score);
    }
}

static enum sh_err score_form(struct scoring *scoring, const struct form *form,
                              void (*block)(struct scoring *, float))
{
    postings_open(&scoring->cursor, &form->term->postings);
    while (postings_read(&scoring->cursor)) {
        if (is_late(scoring))
            return SH_TIMEOUT;
        postings_counts(&scoring->cursor);
        block(scoring, form->factor);
    }
    return SH_OK;
}

static enum sh_err reserve_best(struct scoring *scoring)
{
    uint32_t bits = scoring->allowed->bits;
    if (scoring->best)
        return SH_OK;
    scoring->best = sh_arena_array(scoring->arena, bits, sizeof(float));
    scoring->touched = sh_arena_array(scoring->arena, bits, sizeof(uint32_t));
    return scoring->best && scoring->touched ? SH_OK : SH_NOMEM;
}

static enum sh_err score_forms(struct scoring *scoring, const struct form *forms,
                               uint32_t count)
{
    enum sh_err err = reserve_best(scoring);
    scoring->touched_count = 0;
    for (uint32_t i = 0; err == SH_OK && i < count; i++)
        err = score_form(scoring, &forms[i], rate_block);
    for (uint32_t i = 0; err == SH_OK && i < scoring->touched_count; i++) {
        uint32_t slot = scoring->touched[i];
        scoring->scores[slot] += scoring->best[slot];
        scoring->best[slot] = 0;
    }
    return err;
}

static double rarity(const struct text_index *self, uint32_t passages)
{
    double all = self->live;
    double with = passages;
    return log(1 + (all - with + 0.5) / (with + 0.5));
}

/* Rare terms that nobody asked for must not weigh more than what was: they all count as
 * if they were as frequent as the most frequent of the word. */
static uint32_t resolve(const struct text_index *self, const struct text_word *word,
                        struct form *forms)
{
    uint32_t count = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < word->count && count < FORMS_MOST; i++) {
        const struct text_form *form = &word->forms[i];
        const struct term *term = terms_find(&self->terms, form->text, form->hash);
        if (!term || term->passages == 0)
            continue;
        forms[count++] = (struct form){term, form->weight * (float)word->times};
        most = term->passages > most ? term->passages : most;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool asked = forms[i].factor >= (float)word->times;
        forms[i].factor *= (float)rarity(self, asked ? forms[i].term->passages : most);
    }
    return count;
}

static enum sh_err score_word(struct scoring *scoring, const struct text_word *word)
{
    struct form forms[FORMS_MOST];
    uint32_t count = resolve(scoring->index, word, forms);
    if (count == 0)
        return SH_OK;
    if (count == 1)
        return score_form(scoring, &forms[0], add_block);
    return score_forms(scoring, forms, count);
}

static enum sh_err collect(const struct scoring *scoring, struct leg *leg)
{
    const float *scores = scoring->scores;
    uint32_t bits = scoring->allowed->bits;
    size_t count = 0;
    for (uint32_t slot = 0; slot < bits; slot++)
        count += scores[slot] > 0;
    if (count == 0)
        return SH_OK;
    leg->hits = sh_arena_array(scoring->arena, count, sizeof(*leg->hits));
    if (!leg->hits)
        return SH_NOMEM;
    for (uint32_t slot = 0; slot < bits; slot++) {
        if (scores[slot] > 0)
            leg->hits[leg->count++] = (struct leg_hit){slot, scores[slot]};
    }
    return SH_OK;
}

enum sh_err text_index_search(const struct text_index *self,
                              const struct text_query *query,
                              const struct bitmap *allowed, uint64_t deadline_ms,
                              struct sh_arena *arena, struct leg *leg)
{
    const struct text_options *options = &self->options;
    *leg = (struct leg){0};
    if (self->live == 0 || query->count == 0 || allowed->bits == 0)
        return SH_OK;
    struct scoring *scoring = sh_arena_alloc(arena, sizeof(*scoring));
    if (!scoring)
        return SH_NOMEM;
    double mean = (double)self->body_total / self->live;
    scoring->index = self;
    scoring->allowed = allowed;
    scoring->arena = arena;
    scoring->deadline_ms = deadline_ms;
    scoring->k1 = (float)options->k1;
    scoring->floor = (float)(1 - options->b);
    scoring->slope = (float)(options->b / (mean > 0 ? mean : 1));
    for (int field = 0; field < TEXT_FIELDS; field++)
        scoring->weight[field] = (float)options->weight[field];
    scoring->scores = sh_arena_array(arena, allowed->bits, sizeof(float));
    enum sh_err err = scoring->scores ? SH_OK : SH_NOMEM;
    for (uint32_t i = 0; err == SH_OK && i < query->count; i++)
        err = score_word(scoring, &query->words[i]);
    return err == SH_OK ? collect(scoring, leg) : err;
}
