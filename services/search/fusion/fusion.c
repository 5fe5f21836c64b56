#include "services/search/fusion/fusion.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

struct run {
    const struct fusion_input *input;
    struct fusion_hit *heap; /* the worst on top */
    size_t count;
    size_t most;
    size_t total;
    float best_text;
    float best_cosine;
    struct fusion_ranks text_ranks;
    struct fusion_ranks vector_ranks;
};

static bool is_worse(const struct run *run, const struct fusion_hit *a,
                     const struct fusion_hit *b)
{
    if (a->combined < b->combined)
        return true;
    if (a->combined > b->combined)
        return false;
    return run->input->order(run->input->arg, a->slot, b->slot) > 0;
}

static void swap(struct fusion_hit *a, struct fusion_hit *b)
{
    struct fusion_hit kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(struct run *run, size_t at, size_t count)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_worse(run, &run->heap[child], &run->heap[worst]))
                worst = child;
        }
        if (worst == at)
            return;
        swap(&run->heap[at], &run->heap[worst]);
        at = worst;
    }
}

static void offer(struct run *run, const struct fusion_hit *hit)
{
    run->total++;
    if (run->most == 0)
        return;
    if (run->count == run->most) {
        if (!is_worse(run, &run->heap[0], hit))
            return;
        run->heap[0] = *hit;
        sift_down(run, 0, run->count);
        return;
    }
    size_t at = run->count++;
    run->heap[at] = *hit;
    while (at > 0 && is_worse(run, &run->heap[at], &run->heap[(at - 1) / 2])) {
        swap(&run->heap[at], &run->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

/* Takes the worst from the top to the end, one by one. */
static void sort_heap(struct run *run)
{
    for (size_t count = run->count; count > 1; count--) {
        swap(&run->heap[0], &run->heap[count - 1]);
        sift_down(run, 0, count - 1);
    }
}

static double text_share(const struct run *run, const struct fusion_hit *hit)
{
    return run->best_text > 0 ? (double)hit->text / (double)run->best_text : 0;
}

/* Weighted: both parts lie between the least value that the measure can have (0 for BM25,
 * -1 for a cosine) and the best of this search. A passage that has no vector yet is
 * judged by its text alone. */
static double weighted(const struct run *run, struct fusion_hit *hit)
{
    double weight = run->input->weight;
    hit->text_part = text_share(run, hit);
    if (!hit->has_vector)
        return hit->text_part;
    hit->vector_part =
        fmax(0, ((double)hit->similarity + 1) / ((double)run->best_cosine + 1 + 1e-9));
    return weight * hit->vector_part + (1 - weight) * hit->text_part;
}

static double reciprocal_ranks(const struct run *run, struct fusion_hit *hit)
{
    const double best = 1.0 / (FUSION_RRF_K + 1);
    if (hit->in_text)
        hit->text_part =
            1.0 / (double)(FUSION_RRF_K + fusion_rank(&run->text_ranks, hit->text)) /
            best;
    if (hit->in_vector)
        hit->vector_part =
            1.0 /
            (double)(FUSION_RRF_K + fusion_rank(&run->vector_ranks, hit->similarity)) /
            best;
    return run->input->weight * hit->vector_part +
           (1 - run->input->weight) * hit->text_part;
}

static double fuse(const struct run *run, struct fusion_hit *hit)
{
    const struct fusion_input *input = run->input;
    if (!input->text) {
        hit->vector_part = fmax(0, (double)hit->similarity);
        return hit->vector_part;
    }
    if (!input->vector) {
        hit->text_part = text_share(run, hit);
        return hit->text_part;
    }
    return input->method == FUSION_RRF ? reciprocal_ranks(run, hit) : weighted(run, hit);
}

static void judge(struct run *run, struct fusion_hit *hit)
{
    const struct fusion_input *input = run->input;
    hit->in_vector = hit->has_vector && (double)hit->similarity >= input->threshold;
    if (!hit->in_text && !hit->in_vector)
        return;
    hit->score = fmin(1, fuse(run, hit));
    double boosted =
        input->score_weight * hit->score + input->boost(input->arg, hit->slot);
    hit->combined = fmin(1, fmax(0, boosted));
    offer(run, hit);
}

/* Both legs ascend by slot. */
static void merge(struct run *run, const struct leg *text, const struct leg *vector)
{
    size_t t = 0;
    size_t v = 0;
    while (t < text->count || v < vector->count) {
        uint32_t text_slot = t < text->count ? text->hits[t].slot : UINT32_MAX;
        uint32_t vector_slot = v < vector->count ? vector->hits[v].slot : UINT32_MAX;
        struct fusion_hit hit = {0};
        hit.slot = text_slot < vector_slot ? text_slot : vector_slot;
        if (text_slot == hit.slot) {
            hit.in_text = true;
            hit.text = text->hits[t++].score;
        }
        if (vector_slot == hit.slot) {
            hit.has_vector = true;
            hit.similarity = vector->hits[v++].score;
        }
        judge(run, &hit);
    }
}

static float best_of(const struct leg *leg, float least)
{
    float best = least;
    for (size_t i = 0; i < leg->count; i++)
        best = fmaxf(best, leg->hits[i].score);
    return best;
}

enum sh_err fusion_run(const struct fusion_input *input, size_t most,
                       struct sh_arena *arena, struct fusion_result *result)
{
    static const struct leg none;
    const struct leg *text = input->text ? input->text : &none;
    const struct leg *vector = input->vector ? input->vector : &none;
    size_t bound = text->count + vector->count;
    struct run run = {.input = input, .most = most < bound ? most : bound};
    enum sh_err err = SH_OK;

    *result = (struct fusion_result){0};
    if (bound == 0)
        return SH_OK;
    run.best_text = best_of(text, 0);
    run.best_cosine = best_of(vector, -1);
    if (input->method == FUSION_RRF) {
        err = fusion_ranks_make(text, -FLT_MAX, arena, &run.text_ranks);
        if (err == SH_OK)
            err = fusion_ranks_make(vector, (float)input->threshold, arena,
                                    &run.vector_ranks);
    }
    if (err == SH_OK && run.most > 0) {
        run.heap = sh_arena_array(arena, run.most, sizeof(*run.heap));
        err = run.heap ? SH_OK : SH_NOMEM;
    }
    if (err != SH_OK)
        return err;
    merge(&run, text, vector);
    sort_heap(&run);
    *result = (struct fusion_result){run.heap, run.count, run.total};
    return SH_OK;
}

static int descending(const void *a, const void *b)
{
    float left = *(const float *)a;
    float right = *(const float *)b;
    return (left < right) - (left > right);
}

enum sh_err fusion_ranks_make(const struct leg *leg, float least, struct sh_arena *arena,
                              struct fusion_ranks *ranks)
{
    *ranks = (struct fusion_ranks){0};
    if (leg->count == 0)
        return SH_OK;
    ranks->scores = sh_arena_array(arena, leg->count, sizeof(float));
    if (!ranks->scores)
        return SH_NOMEM;
    for (size_t i = 0; i < leg->count; i++) {
        if (leg->hits[i].score >= least)
            ranks->scores[ranks->count++] = leg->hits[i].score;
    }
    qsort(ranks->scores, ranks->count, sizeof(float), descending);
    return SH_OK;
}

size_t fusion_rank(const struct fusion_ranks *ranks, float score)
{
    size_t low = 0; /* scores before it are greater */
    size_t high = ranks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranks->scores[middle] > score)
            low = middle + 1;
        else
            high = middle;
    }
    return low + 1;
}
