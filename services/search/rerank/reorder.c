#include "services/search/rerank/reorder.h"

#include <math.h>
#include <stdlib.h>

#include <jansson.h>

struct reordered {
    struct search_hit hit;
    double score;
    size_t place; /* before */
};

/* --- JSON ------------------------------------------------------------------------- */

/* Takes `json`; *text becomes its text. What cannot be said is left out. */
static enum sh_err print(json_t *json, struct sh_arena *arena, struct sh_bytes *text)
{
    char *printed = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    enum sh_err err = SH_NOMEM;
    if (printed) {
        struct sh_bytes copy = sh_arena_copy(arena, sh_bytes_of(printed));
        err = copy.data ? SH_OK : SH_NOMEM;
        if (copy.data)
            *text = copy;
    }
    free(printed); /* jansson's */
    json_decref(json);
    return err;
}

static enum sh_err explain(struct reordered *item, size_t rank, struct sh_arena *arena)
{
    struct sh_bytes *text = &item->hit.explanation;
    json_t *json = json_loadb(text->data, text->len, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return SH_OK;
    }
    json_object_set_new(
        json, "rerank",
        json_pack("{s:f, s:I}", "score", item->score, "rank", (json_int_t)rank));
    json_object_set_new(json, "combined", json_real(item->hit.combined_score));
    return print(json, arena, text);
}

/* --- the order -------------------------------------------------------------------- */

static int by_combined(const void *a, const void *b)
{
    const struct reordered *left = a;
    const struct reordered *right = b;
    double one = left->hit.combined_score;
    double two = right->hit.combined_score;
    if (one != two)
        return one > two ? -1 : 1;
    return (left->place > right->place) - (left->place < right->place);
}

static size_t rank_of(const double *scores, size_t count, double score)
{
    size_t rank = 1;
    for (size_t i = 0; i < count; i++)
        rank += scores[i] > score;
    return rank;
}

enum sh_err reorder_hits(struct search_results *results, const double *scores,
                         size_t count, double share, bool explained,
                         struct sh_arena *arena)
{
    size_t all = results->hits_count;
    enum sh_err err = SH_OK;
    count = count < all ? count : all;
    if (count == 0)
        return SH_OK;
    struct search_hit *hits = sh_arena_array(arena, all, sizeof(*hits));
    struct reordered *items = sh_arena_array(arena, count, sizeof(*items));
    if (!hits || !items)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct reordered){results->hits[i], scores[i], i};
        double boosted = share * scores[i] + items[i].hit.boost;
        items[i].hit.combined_score = fmin(1, fmax(0, boosted));
    }
    qsort(items, count, sizeof(*items), by_combined);
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        if (explained)
            err = explain(&items[i], rank_of(scores, count, items[i].score), arena);
        hits[i] = items[i].hit;
    }
    for (size_t i = count; i < all; i++) {
        hits[i] = results->hits[i];
        hits[i].combined_score =
            fmin(hits[i].combined_score, hits[count - 1].combined_score);
    }
    results->hits = hits;
    return err;
}

void reorder_page(struct search_results *results, size_t offset, size_t count)
{
    if (offset > results->hits_count)
        offset = results->hits_count;
    results->hits_count -= offset;
    if (results->hits_count > count)
        results->hits_count = count;
    if (results->hits_count > 0)
        results->hits += offset;
}

/* --- what is out ------------------------------------------------------------------ */

enum sh_err reorder_degraded(struct search_results *results, const char *leg,
                             struct sh_arena *arena)
{
    size_t count = results->degraded_count;
    struct sh_bytes *degraded = sh_arena_array(arena, count + 1, sizeof(*degraded));
    if (!degraded)
        return SH_NOMEM;
    if (count > 0)
        memcpy(degraded, results->degraded, count * sizeof(*degraded));
    degraded[count] = sh_bytes_of(leg);
    results->degraded = degraded;
    results->degraded_count = count + 1;
    json_t *plan = json_loadb(results->plan.data, results->plan.len, 0, NULL);
    if (!json_is_object(plan)) {
        json_decref(plan);
        return SH_OK;
    }
    json_object_set_new(plan, "complete", json_false());
    return print(plan, arena, &results->plan);
}
