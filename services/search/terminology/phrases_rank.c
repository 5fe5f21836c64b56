#include <math.h>
#include <stdlib.h>

#include "services/search/terminology/phrases_internal.h"

/* Longer ones first; then in an order that does not depend on memory. */
static int by_length(const void *a, const void *b)
{
    const struct run *left = *(const struct run *const *)a;
    const struct run *right = *(const struct run *const *)b;

    return (left->words < right->words) - (left->words > right->words);
}

/* Where the stem behind the `n`th begins. */
static size_t offset_of(struct sh_bytes key, uint32_t n)
{
    const char *at = key.data;
    size_t offset = 0;

    for (; n > 0; n--)
        offset += strlen(at + offset) + 1;
    return offset;
}

/* The runs inside this one: they stand there so often. */
static void tell_inner(const struct phrases *self, const struct run *run, uint64_t least)
{
    const char *key = run->key.data;
    uint64_t alone = run->frequency > run->nested ? run->frequency - run->nested : 0;

    for (uint32_t words = run->words - 1; words > 0; words--) {
        for (uint32_t first = 0; first + words <= run->words; first++) {
            size_t from = offset_of(run->key, first);
            size_t to = offset_of(run->key, first + words);
            struct run *inner =
                phrases_find(self, (struct sh_bytes){key + from, to - from});
            if (inner == NULL || inner->frequency < least)
                continue;
            inner->nested += alone;
            inner->nested_in++;
        }
    }
}

static double score_of(const struct run *run, uint64_t documents)
{
    double nested = run->nested_in > 0 ? (double)run->nested / (double)run->nested_in : 0;
    double score = log2((double)run->words + 1) * ((double)run->frequency - nested);

    if (run->words == 1 && documents > 1)
        score *= log((double)(documents + 1) / (double)run->documents) /
                 log((double)(documents + 1));
    return score;
}

/* Of two that are as frequent the one with small letters. */
static uint32_t best_form(const struct run *run)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < run->form_count; i++) {
        const struct run_form *a = &run->forms[i];
        const struct run_form *b = &run->forms[best];
        size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
        if (a->count > b->count ||
            (a->count == b->count && memcmp(a->text.data, b->text.data, len) > 0))
            best = i;
    }
    return best;
}

static void describe(const struct run *run, double score, struct phrase *out)
{
    *out = (struct phrase){.key = run->key,
                           .form = run->forms[best_form(run)].text,
                           .words = run->words,
                           .frequency = run->frequency,
                           .documents = run->documents,
                           .score = score,
                           .context_count = run->place_count};
    for (uint32_t i = 0; i < run->place_count; i++) {
        const struct run_place *place = &run->places[i];
        out->contexts[i] = (struct phrase_context){
            place->document, place->ordinal, place->start, run->forms[place->form].text};
    }
}

static int by_score(const void *a, const void *b)
{
    const struct phrase *left = a;
    const struct phrase *right = b;
    size_t len = left->key.len < right->key.len ? left->key.len : right->key.len;
    int order = (left->score < right->score) - (left->score > right->score);

    if (order == 0)
        order = memcmp(left->key.data, right->key.data, len);
    return order != 0
               ? order
               : (left->key.len > right->key.len) - (left->key.len < right->key.len);
}

enum sh_err phrases_rank(struct phrases *self, const struct phrase_wish *wish,
                         struct sh_arena *arena, struct phrase **out, size_t *count)
{
    struct run **order = sh_alloc_array(self->count + 1, sizeof(struct run *));
    struct phrase *found = sh_arena_array(arena, self->count + 1, sizeof(*found));
    size_t kept = 0;
    size_t some = 0;

    *count = 0;
    *out = found;
    if (order == NULL || found == NULL) {
        sh_free(order);
        return SH_NOMEM;
    }
    for (size_t i = 0; i < self->count; i++) {
        self->runs[i]->nested = self->runs[i]->nested_in = 0;
        if (self->runs[i]->frequency >= wish->frequency)
            order[some++] = self->runs[i];
    }
    qsort(order, some, sizeof(struct run *), by_length);
    for (size_t i = 0; i < some; i++) {
        double score;
        tell_inner(self, order[i], wish->frequency);
        score = score_of(order[i], wish->documents);
        if (score > 0 && order[i]->form_count > 0)
            describe(order[i], score, &found[kept++]);
    }
    qsort(found, kept, sizeof(*found), by_score);
    sh_free(order);
    *count = kept < wish->most ? kept : wish->most;
    return SH_OK;
}
