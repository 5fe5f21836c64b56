#include "services/search/vector/hnsw_search.h"

static bool is_better(const struct leg_hit *a, const struct leg_hit *b)
{
    return a->score > b->score || (a->score == b->score && a->slot < b->slot);
}

static void sift(struct leg_hit *hits, size_t at, size_t count)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_better(&hits[worst], &hits[child]))
                worst = child;
        }
        if (worst == at)
            return;
        struct leg_hit moved = hits[at];
        hits[at] = hits[worst];
        hits[worst] = moved;
        at = worst;
    }
}

void best_keep(const struct job *job, struct leg_hit hit)
{
    struct hnsw_result *result = job->result;
    struct leg_hit *hits = result->hits;
    if (result->count < job->most) {
        size_t at = result->count++;
        for (; at > 0 && is_better(&hits[(at - 1) / 2], &hit); at = (at - 1) / 2)
            hits[at] = hits[(at - 1) / 2];
        hits[at] = hit;
    } else if (is_better(&hit, &hits[0])) {
        hits[0] = hit;
        sift(hits, 0, job->most);
    }
}

void best_order(const struct job *job)
{
    struct leg_hit *hits = job->result->hits;
    for (size_t count = job->result->count; count > 1; count--) {
        struct leg_hit worst = hits[0];
        hits[0] = hits[count - 1];
        hits[count - 1] = worst;
        sift(hits, 0, count - 1);
    }
}
