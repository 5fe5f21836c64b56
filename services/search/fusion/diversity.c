#include <math.h>

#include "services/search/fusion/fusion.h"

/* hits[from] goes to `to`, before it; those between move down. */
static void move_up(struct fusion_hit *hits, double *closest, size_t from, size_t to)
{
    struct fusion_hit hit = hits[from];
    double kept = closest[from];
    memmove(&hits[to + 1], &hits[to], (from - to) * sizeof(*hits));
    memmove(&closest[to + 1], &closest[to], (from - to) * sizeof(*closest));
    hits[to] = hit;
    closest[to] = kept;
}

enum sh_err fusion_diversify(struct fusion_result *result, double diversity,
                             double (*likeness)(const void *arg, uint32_t a, uint32_t b),
                             const void *arg, struct sh_arena *arena)
{
    size_t pool = result->count < FUSION_POOL ? result->count : FUSION_POOL;
    struct fusion_hit *hits = result->hits;
    if (diversity <= 0 || pool < 3)
        return SH_OK;
    double *closest = sh_arena_array(arena, pool, sizeof(*closest)); /* to those above */
    if (!closest)
        return SH_NOMEM;
    for (size_t taken = 1; taken < pool; taken++) {
        size_t best = taken;
        double best_value = -(double)INFINITY;
        for (size_t i = taken; i < pool; i++) {
            double like = likeness(arg, hits[taken - 1].slot, hits[i].slot);
            closest[i] = fmax(closest[i], like);
            double value = (1 - diversity) * hits[i].combined - diversity * closest[i];
            best = value > best_value ? i : best;
            best_value = fmax(best_value, value);
        }
        move_up(hits, closest, best, taken);
    }
    return SH_OK;
}
