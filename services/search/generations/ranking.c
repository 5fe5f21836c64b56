#include "services/search/generations/ranking.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static size_t place_of(const struct ranking *self, const char *document)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->entries[i].document, document) == 0)
            return i;
    return self->count;
}

/* The entry at `at` moves up as far as its score reaches. */
static void rise(struct ranking *self, size_t at)
{
    struct ranked entry = self->entries[at];

    for (; at > 0 && self->entries[at - 1].score < entry.score; at--)
        self->entries[at] = self->entries[at - 1];
    self->entries[at] = entry;
}

void ranking_offer(struct ranking *self, struct sh_bytes document, float score)
{
    char id[RANKING_ID];
    size_t len = document.len < RANKING_ID ? document.len : RANKING_ID - 1;
    bool full = self->count == RANKING_DEPTH;

    if (full && score <= self->entries[RANKING_DEPTH - 1].score)
        return;
    memcpy(id, document.data, len);
    id[len] = '\0';
    size_t at = place_of(self, id);
    if (at < self->count) {
        if (score <= self->entries[at].score)
            return;
    } else if (full) {
        at = RANKING_DEPTH - 1;
    } else {
        self->count++;
    }
    memcpy(self->entries[at].document, id, sizeof(id));
    self->entries[at].score = score;
    rise(self, at);
}

double ranking_overlap(const struct ranking *a, const struct ranking *b)
{
    size_t both = 0;
    size_t longer = a->count > b->count ? a->count : b->count;

    for (size_t i = 0; i < a->count; i++)
        both += place_of(b, a->entries[i].document) < b->count;
    return longer == 0 ? 1 : (double)both / (double)longer;
}

/* --- the order -------------------------------------------------------------------- */

struct places {
    size_t a[2 * RANKING_DEPTH];
    size_t b[2 * RANKING_DEPTH];
    size_t count;
};

static void collect(const struct ranking *a, const struct ranking *b, struct places *out)
{
    out->count = 0;
    for (size_t i = 0; i < a->count; i++) {
        out->a[out->count] = i;
        out->b[out->count++] = place_of(b, a->entries[i].document);
    }
    for (size_t i = 0; i < b->count; i++) {
        if (place_of(a, b->entries[i].document) < a->count)
            continue;
        out->a[out->count] = a->count;
        out->b[out->count++] = i;
    }
}

static int order(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

double ranking_correlation(const struct ranking *a, const struct ranking *b)
{
    struct places places;
    double agree = 0;
    double a_pairs = 0;
    double b_pairs = 0;

    collect(a, b, &places);
    for (size_t i = 0; i < places.count; i++) {
        for (size_t k = i + 1; k < places.count; k++) {
            int by_a = order(places.a[i], places.a[k]);
            int by_b = order(places.b[i], places.b[k]);
            agree += by_a * by_b;
            a_pairs += by_a != 0;
            b_pairs += by_b != 0;
        }
    }
    return a_pairs * b_pairs > 0 ? agree / sqrt(a_pairs * b_pairs) : 1;
}

/* --- judged ----------------------------------------------------------------------- */

static double gain(double grade, size_t place)
{
    return (exp2(grade) - 1) / log2((double)place + 2);
}

static int descending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a < b) - (a > b);
}

static double ideal(json_t *relevant)
{
    double best[RANKING_DEPTH + 1] = {0};
    double sum = 0;
    const char *document;
    json_t *grade;

    json_object_foreach(relevant, document, grade)
    {
        best[RANKING_DEPTH] = json_number_value(grade);
        qsort(best, RANKING_DEPTH + 1, sizeof(best[0]), descending);
    }
    for (size_t i = 0; i < RANKING_DEPTH; i++)
        sum += gain(best[i] > 0 ? best[i] : 0, i);
    return sum;
}

double ranking_ndcg(const struct ranking *self, json_t *relevant)
{
    double most = ideal(relevant);
    double sum = 0;

    for (size_t i = 0; i < self->count; i++) {
        double grade =
            json_number_value(json_object_get(relevant, self->entries[i].document));
        sum += gain(grade > 0 ? grade : 0, i);
    }
    return most > 0 ? sum / most : 0;
}
