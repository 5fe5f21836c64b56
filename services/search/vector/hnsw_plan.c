/* Which way is the cheapest, counted in rows of an exact scan. */
#include "services/search/vector/hnsw_search.h"

enum {
    EXACT_MOST = 2000,   /* never worth a walk */
    CANDIDATE_COST = 45, /* of a place in the pool: measured */
    /* filters that let fewer than 1 in so many through */
    TWO_STEPS_BELOW = 4,
};

/* Removed nodes take places in the pool too. */
static uint32_t with_dead(const struct hnsw *self, uint64_t ef, uint64_t live)
{
    uint64_t dead = hnsw_dead(self);
    if (dead > 0)
        ef += ef * dead / (live + 1) + 16;
    return (uint32_t)(ef < live + dead ? ef : live + dead);
}

struct plan plan_make(const struct hnsw *self, const struct hnsw_query *query)
{
    uint64_t live = hnsw_count(self);
    uint64_t allowed = live;
    uint64_t ef = query->ef > query->k ? query->ef : query->k;
    if (query->allowed && query->allowed_count < live)
        allowed = query->allowed_count;
    struct plan plan = {.strategy = HNSW_GRAPH, .allowed = (uint32_t)allowed};
    /* the share that a filter keeps out costs both kinds of walk alike */
    uint64_t cost = ef * CANDIDATE_COST * live / (allowed + 1);
    if (allowed < live) {
        plan.strategy = HNSW_FILTERED_GRAPH;
        plan.two_steps = allowed < live / TWO_STEPS_BELOW;
    }
    if (allowed <= EXACT_MOST || allowed <= cost)
        plan.strategy = HNSW_EXACT;
    else if (allowed < live && !plan.two_steps)
        ef = ef * live / allowed; /* until enough have passed the filter */
    plan.ef = plan.strategy == HNSW_EXACT ? 1 : with_dead(self, ef, live);
    return plan;
}
