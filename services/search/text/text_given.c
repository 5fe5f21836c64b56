#include <stdlib.h>

#include "services/search/text/text_score.h"
#include "shared/clock.h"

/* Looks up given passages in the postings: blocks between them are not read. */

enum { DEADLINE_LOOKS = 1024 };

struct given {
    uint32_t passage;
    uint32_t place; /* among the slots that were asked */
    float best;     /* of the forms of the word at hand */
};

struct lookup {
    struct scorer scorer;
    uint64_t deadline_ms;
    struct given *given; /* ascending by passage */
    size_t count;
    uint32_t looked;
    struct postings_cursor cursor;
};

static int by_passage(const void *a, const void *b)
{
    uint32_t left = ((const struct given *)a)->passage;
    uint32_t right = ((const struct given *)b)->passage;
    return (left > right) - (left < right);
}

/* Slots that are used again stand in another order than their passages. */
static void take_slots(struct lookup *lookup, const uint32_t *slots, size_t count)
{
    const struct text_index *index = lookup->scorer.index;
    bool ordered = true;
    for (size_t i = 0; i < count; i++) {
        if (slots[i] >= index->numbers_capacity || index->numbers[slots[i]] == UINT32_MAX)
            continue;
        struct given *given = &lookup->given[lookup->count++];
        *given = (struct given){index->numbers[slots[i]], (uint32_t)i, 0};
        ordered = ordered && (lookup->count == 1 || given[-1].passage <= given->passage);
    }
    if (!ordered)
        qsort(lookup->given, lookup->count, sizeof(*lookup->given), by_passage);
}

static enum sh_err look_up(struct lookup *lookup, const struct scored_form *form)
{
    struct postings_cursor *cursor = &lookup->cursor;
    uint32_t at = 0;
    postings_open(cursor, &form->term->postings);
    for (size_t i = 0; i < lookup->count; i++) {
        struct given *given = &lookup->given[i];
        if (++lookup->looked % DEADLINE_LOOKS == 0 && sh_now_ms() >= lookup->deadline_ms)
            return SH_TIMEOUT;
        if (!postings_advance(cursor, given->passage, &at))
            break;
        if (cursor->passages[at] != given->passage)
            continue;
        postings_counts(cursor);
        float score = scorer_score(&lookup->scorer, cursor, at, form->factor);
        given->best = score > given->best ? score : given->best;
    }
    return SH_OK;
}

static enum sh_err look_up_word(struct lookup *lookup, const struct text_word *word,
                                float *scores)
{
    struct scored_form forms[TEXT_FORMS];
    uint32_t count = scorer_forms(lookup->scorer.index, word, forms);
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < count; i++)
        err = look_up(lookup, &forms[i]);
    for (size_t i = 0; i < lookup->count; i++) {
        struct given *given = &lookup->given[i];
        scores[given->place] += given->best;
        given->best = 0;
    }
    return err;
}

/* NOLINTNEXTLINE(readability-function-size): slots and their count */
enum sh_err text_index_score(const struct text_index *self,
                             const struct text_query *query, const uint32_t *slots,
                             size_t count, uint64_t deadline_ms, struct sh_arena *arena,
                             float *scores)
{
    enum sh_err err = SH_OK;
    if (count == 0)
        return SH_OK;
    memset(scores, 0, count * sizeof(*scores));
    struct lookup *lookup = sh_arena_alloc(arena, sizeof(*lookup));
    if (!lookup)
        return SH_NOMEM;
    lookup->scorer = scorer_of(self);
    lookup->deadline_ms = deadline_ms;
    lookup->given = sh_arena_array(arena, count, sizeof(*lookup->given));
    if (!lookup->given)
        return SH_NOMEM;
    take_slots(lookup, slots, count);
    for (uint32_t i = 0; err == SH_OK && i < query->count; i++)
        err = look_up_word(lookup, &query->words[i], scores);
    return err;
}
