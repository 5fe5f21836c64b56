#include "services/search/text/text_hits.h"

#include <stdlib.h>

enum {
    LEAST_ROOM = 256,
    LEAST_MORE = 16,
    DENSE = 32, /* slots a hit, below which hits are put in order by place */
};

/* The `k`th largest, from 1 (Hoare's selection); the order of the scores is lost. */
static float select_largest(float *scores, size_t count, size_t k)
{
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        float pivot = scores[low + (high - low) / 2];
        size_t i = low;
        size_t j = high;
        for (;; i++, j--) {
            while (scores[i] > pivot)
                i++;
            while (scores[j] < pivot)
                j--;
            if (i >= j)
                break;
            float kept = scores[i];
            scores[i] = scores[j];
            scores[j] = kept;
        }
        /* up to j, which is below high, none is less than the pivot; behind it, none more
         */
        if (k - 1 <= j)
            high = j;
        else
            low = j + 1;
    }
    return scores[k - 1];
}

static void prune(struct text_hits *hits)
{
    size_t kept = 0;
    for (size_t i = 0; i < hits->count; i++) {
        if (hits->items[i].score >= hits->threshold)
            hits->items[kept++] = hits->items[i];
    }
    hits->count = kept;
}

/* Now and then, after as many hits as there were: so it costs little for each. */
static void tighten(struct text_hits *hits)
{
    if (hits->most > 0 && hits->count >= hits->most) {
        for (size_t i = 0; i < hits->count; i++)
            hits->scores[i] = hits->items[i].score;
        hits->threshold = select_largest(hits->scores, hits->count, hits->most);
        prune(hits);
    }
}

static enum sh_err reserve(struct text_hits *hits)
{
    size_t least = hits->most > 0 ? hits->most + LEAST_MORE : LEAST_ROOM;
    size_t wanted = hits->count * 2;
    wanted = wanted > least ? wanted : least;
    if (wanted > hits->capacity) {
        struct leg_hit *items = sh_arena_array(hits->arena, wanted, sizeof(*items));
        float *scores =
            hits->most > 0 ? sh_arena_array(hits->arena, wanted, sizeof(*scores)) : NULL;
        if (!items || (hits->most > 0 && !scores))
            return SH_NOMEM;
        if (hits->count > 0)
            memcpy(items, hits->items, hits->count * sizeof(*items));
        hits->items = items;
        hits->scores = scores;
        hits->capacity = wanted;
    }
    hits->limit = wanted;
    return SH_OK;
}

enum sh_err text_hits_add(struct text_hits *hits, uint32_t slot, float score)
{
    if (hits->count == hits->limit) {
        tighten(hits);
        enum sh_err err = reserve(hits);
        if (err != SH_OK)
            return err;
    }
    hits->items[hits->count++] = (struct leg_hit){slot, score};
    return SH_OK;
}

void text_hits_deepen(struct text_hits *hits, double spread)
{
    float best = 0;
    tighten(hits);
    for (size_t i = 0; i < hits->count; i++)
        best = hits->items[i].score > best ? hits->items[i].score : best;
    double least = (double)hits->threshold - (spread + 1e-6) * (double)best;
    hits->threshold = least > 0 ? (float)least : 0;
    hits->most = 0;
    hits->count = 0;
}

static int by_slot(const void *a, const void *b)
{
    uint32_t left = ((const struct leg_hit *)a)->slot;
    uint32_t right = ((const struct leg_hit *)b)->slot;
    return (left > right) - (left < right);
}

static enum sh_err order_by_place(struct text_hits *hits, uint32_t slots)
{
    float *scores = sh_arena_array(hits->arena, slots, sizeof(*scores));
    size_t count = 0;
    if (!scores)
        return SH_NOMEM;
    for (size_t i = 0; i < hits->count; i++)
        scores[hits->items[i].slot] = hits->items[i].score;
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (scores[slot] > 0)
            hits->items[count++] = (struct leg_hit){slot, scores[slot]};
    }
    return SH_OK;
}

enum sh_err text_hits_finish(struct text_hits *hits, uint32_t slots, struct leg *leg)
{
    enum sh_err err = SH_OK;
    bool ordered = true;
    tighten(hits);
    for (size_t i = 1; ordered && i < hits->count; i++)
        ordered = hits->items[i - 1].slot < hits->items[i].slot;
    if (!ordered && hits->count > slots / DENSE)
        err = order_by_place(hits, slots);
    else if (!ordered)
        qsort(hits->items, hits->count, sizeof(*hits->items), by_slot);
    *leg = (struct leg){hits->items, hits->count};
    return err;
}
