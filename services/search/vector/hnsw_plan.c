/* Which way is the cheapest, counted in rows of an exact scan. */
#include "services/search/vector/hnsw_search.h"

enum {
    EXACT_MOST = 2000, /* never worth a walk */
    /* of a candidate, by what the filter keeps out; measured, 100 dimensions: */
    ALL_COST = 40,
    TWO_STEPS_COST = 19,
    /* filters that let fewer than 1 in so many through */
    TWO_STEPS_BELOW = 4,
    /* below these a filtered walk misses too much of what a scan finds: measured */
    FILTERED_LEAST = 80,
    POOL_LEAST = 256,
};

/* Removed nodes take places in the pool too. */
static uint32_t with_dead(const struct hnsw *self, uint64_t ef, uint64_t live)
{
    uint64_t dead = hnsw_dead(self);
    if (dead > 0)
        ef += ef * dead / (live + 1) + 16;
    return (uint32_t)(ef < live + dead ? ef : live + dead);
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Every node is met, and those that pass are kept in the end: the pool holds as many more
 * as the filter keeps out. */
static struct plan plan_filtered(uint64_t ef, uint64_t allowed, uint64_t live)
{
    struct plan plan = {.strategy = HNSW_FILTERED_GRAPH, .allowed = (uint32_t)allowed};
    ef = greater(ef, FILTERED_LEAST);
    plan.two_steps = allowed < live / TWO_STEPS_BELOW;
    plan.wanted = plan.two_steps ? 0 : (uint32_t)(ef / 2);
    uint64_t cost = ef * (plan.two_steps ? TWO_STEPS_COST : ALL_COST) * live / allowed;
    if (!plan.two_steps)
        ef = greater(ef * live / allowed, POOL_LEAST);
    plan.ef = (uint32_t)(ef < live ? ef : live);
    if (allowed <= cost + cost / 2) /* worth half as much again: it misses nothing */
        plan.strategy = HNSW_EXACT;
    return plan;
}

struct plan plan_make(const struct hnsw *self, const struct hnsw_query *query)
{
    uint64_t live = hnsw_count(self);
    uint64_t ef = greater(query->ef, query->k);
    uint64_t allowed = query->allowed ? query->allowed_count : live;
    struct plan plan = {.strategy = HNSW_GRAPH, .allowed = (uint32_t)live};
    plan.ef = (uint32_t)(ef < live ? ef : live);
    if (allowed <= EXACT_MOST || live <= greater(EXACT_MOST, ef * ALL_COST))
        plan.strategy = HNSW_EXACT;
    else if (allowed < live)
        plan = plan_filtered(ef, allowed, live);
    plan.ef = plan.strategy == HNSW_EXACT ? 1 : with_dead(self, plan.ef, live);
    return plan;
}
