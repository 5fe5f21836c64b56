#include <math.h>

#include "services/search/fusion/fusion.h"

enum sh_err fusion_diversify(struct fusion_result *result, double diversity,
                             double (*likeness)(const void *arg, uint32_t a, uint32_t b),
                             const void *arg, struct sh_arena *arena)
{
    size_t pool = result->count < FUSION_POOL ? result->count : FUSION_POOL;
    struct fusion_hit *hits = result->hits;
    if (diversity <= 0 || pool < 3)
        return SH_OK;
    double *closest = sh_arena_array(arena, pool, sizeof(*closest));
    if (!closest)
        return SH_NOMEM;
    for (size_t taken = 1; taken < pool; taken++) {
        size_t best = taken;
        double best_value = -INFINITY;
        for (size_t i = taken; i < pool; i++) {
            double like = likeness(arg, hits[taken - 1].slot, hits[i].slot);
            closest[i] = fmax(closest[i], like);
            double value = (1 - diversity) * hits[i].combined - diversity * closest[i];
            if (value > best_value) {
                best_value = value;
                best = i;
            }
        }
        struct fusion_hit hit = hits[best];
        double kept = closest[best];
        memmove(&hits[taken + 1], &hits[taken], (best - taken) * sizeof(*hits));
        memmove(&closest[taken + 1], &closest[taken], (best - taken) * sizeof(*closest));
        hits[taken] = hit;
        closest[taken] = kept;
    }
    return SH_OK;
}
