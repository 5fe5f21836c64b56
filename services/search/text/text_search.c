#include "services/search/text/text_score.h"
#include "shared/clock.h"

enum { DEADLINE_BLOCKS = 64 };

struct scoring {
    struct scorer scorer;
    const struct bitmap *allowed;
    struct sh_arena *arena;
    uint64_t deadline_ms;
    uint32_t blocks; /* read */
    float *scores;   /* by slot */
    float *best;     /* by slot, of the forms of a word; zero between words */
    uint32_t *touched;
    uint32_t touched_count;
    struct postings_cursor cursor;
};

static bool is_late(struct scoring *scoring)
{
    return ++scoring->blocks % DEADLINE_BLOCKS == 0 &&
           sh_now_ms() >= scoring->deadline_ms;
}

static void add_block(struct scoring *scoring, float factor)
{
    for (uint32_t i = 0; i < scoring->cursor.count; i++) {
        uint32_t slot = text_slot(scoring->scorer.index, scoring->cursor.passages[i]);
        if (bitmap_has(scoring->allowed, slot))
            scoring->scores[slot] +=
                scorer_score(&scoring->scorer, &scoring->cursor, i, factor);
    }
}

/* Of a word's forms the best counts, not their sum. */
static void rate_block(struct scoring *scoring, float factor)
{
    for (uint32_t i = 0; i < scoring->cursor.count; i++) {
        uint32_t slot = text_slot(scoring->scorer.index, scoring->cursor.passages[i]);
        if (!bitmap_has(scoring->allowed, slot))
            continue;
        float score = scorer_score(&scoring->scorer, &scoring->cursor, i, factor);
        if (!(score > 0)) /* all its places are in fields that do not count */
            continue;
        if (scoring->best[slot] <= 0)
            scoring->touched[scoring->touched_count++] = slot;
        scoring->best[slot] = fmaxf(scoring->best[slot], score);
    }
}

static enum sh_err score_form(struct scoring *scoring, const struct scored_form *form,
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

static enum sh_err score_forms(struct scoring *scoring, const struct scored_form *forms,
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

static enum sh_err score_word(struct scoring *scoring, const struct text_word *word)
{
    struct scored_form forms[TEXT_FORMS];
    uint32_t count = scorer_forms(scoring->scorer.index, word, forms);
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
    *leg = (struct leg){0};
    if (self->live == 0 || query->count == 0 || allowed->bits == 0)
        return SH_OK;
    struct scoring *scoring = sh_arena_alloc(arena, sizeof(*scoring));
    if (!scoring)
        return SH_NOMEM;
    scoring->scorer = scorer_of(self);
    scoring->allowed = allowed;
    scoring->arena = arena;
    scoring->deadline_ms = deadline_ms;
    scoring->scores = sh_arena_array(arena, allowed->bits, sizeof(float));
    enum sh_err err = scoring->scores ? SH_OK : SH_NOMEM;
    for (uint32_t i = 0; err == SH_OK && i < query->count; i++)
        err = score_word(scoring, &query->words[i]);
    return err == SH_OK ? collect(scoring, leg) : err;
}
