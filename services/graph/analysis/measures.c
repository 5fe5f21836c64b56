#include "services/graph/analysis/measures.h"

#include <math.h>
#include <stdlib.h>

enum { LOOK_EVERY = 65536 };

/* --- degree ----------------------------------------------------------------------- */

void measure_degree(const struct dense *graph, enum measure_direction direction,
                    double *scores)
{
    for (uint32_t i = 0; i < graph->count; i++)
        scores[i] = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        if (direction != MEASURE_IN)
            scores[i] += graph->first[i + 1] - graph->first[i];
        for (uint32_t j = graph->first[i];
             j < graph->first[i + 1] && direction != MEASURE_OUT; j++)
            scores[graph->target[j]] += 1;
    }
}

/* --- rank ------------------------------------------------------------------------- */

/* One iteration; returns how much changed. */
static double iterate(const struct dense *graph, double damping, const double *scores,
                      double *next)
{
    double count = graph->count;
    double idle = 0;
    double change = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        next[i] = 0;
        if (graph->first[i + 1] == graph->first[i])
            idle += scores[i];
    }
    for (uint32_t i = 0; i < graph->count; i++) {
        uint32_t degree = graph->first[i + 1] - graph->first[i];
        double share = degree > 0 ? damping * scores[i] / degree : 0;
        for (uint32_t j = graph->first[i]; j < graph->first[i + 1]; j++)
            next[graph->target[j]] += share;
    }
    double base = (1 - damping + damping * idle) / count;
    for (uint32_t i = 0; i < graph->count; i++) {
        next[i] += base;
        change += fabs(next[i] - scores[i]);
    }
    return change;
}

enum sh_err measure_rank(const struct dense *graph, const struct rank_options *options,
                         struct analysis_watch *watch, double *scores,
                         struct rank_outcome *outcome)
{
    double *next = sh_alloc_array((size_t)graph->count + 1, sizeof(*next));
    *outcome = (struct rank_outcome){.converged = graph->count == 0};
    if (next == NULL)
        return SH_NOMEM;
    for (uint32_t i = 0; i < graph->count; i++)
        scores[i] = 1.0 / graph->count;
    atomic_store(&watch->total, options->iterations);
    while (outcome->iterations < options->iterations && !outcome->converged &&
           !atomic_load(&watch->cancelled)) {
        outcome->change = iterate(graph, options->damping, scores, next);
        for (uint32_t i = 0; i < graph->count; i++)
            scores[i] = next[i];
        outcome->converged = outcome->change <= options->tolerance;
        atomic_store(&watch->done, ++outcome->iterations);
    }
    sh_free(next);
    return atomic_load(&watch->cancelled) ? SH_CANCELED : SH_OK;
}

/* --- components ------------------------------------------------------------------- */

static uint32_t root_of(uint32_t *parents, uint32_t node)
{
    while (parents[node] != node) {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    return node;
}

enum sh_err measure_components(const struct dense *graph, struct analysis_watch *watch,
                               uint32_t *groups, uint32_t *group_count)
{
    atomic_store(&watch->total, graph->count);
    for (uint32_t i = 0; i < graph->count; i++)
        groups[i] = i;
    for (uint32_t i = 0; i < graph->count; i++) {
        if (i % LOOK_EVERY == 0) {
            atomic_store(&watch->done, i);
            if (atomic_load(&watch->cancelled))
                return SH_CANCELED;
        }
        for (uint32_t j = graph->first[i]; j < graph->first[i + 1]; j++) {
            uint32_t left = root_of(groups, i);
            uint32_t right = root_of(groups, graph->target[j]);
            groups[left > right ? left : right] = left < right ? left : right;
        }
    }
    for (uint32_t i = 0; i < graph->count; i++)
        groups[i] = root_of(groups, i);
    return measure_number_groups(graph->count, groups, group_count);
}

/* --- groups ----------------------------------------------------------------------- */

struct sized {
    uint32_t group;
    uint32_t size;
    uint32_t first; /* node */
};

static int by_size(const void *left, const void *right)
{
    const struct sized *a = left;
    const struct sized *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

enum sh_err measure_number_groups(uint32_t count, uint32_t *groups, uint32_t *group_count)
{
    struct sized *sized = sh_alloc_array((size_t)count + 1, sizeof(*sized));
    uint32_t *numbers = sh_alloc_array((size_t)count + 1, sizeof(*numbers));
    *group_count = 0;
    if (sized == NULL || numbers == NULL) {
        sh_free(sized);
        sh_free(numbers);
        return SH_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct sized *group = &sized[groups[i]];
        if (group->size++ == 0)
            group->first = i;
        group->group = groups[i];
    }
    qsort(sized, count, sizeof(*sized), by_size);
    for (uint32_t i = 0; i < count && sized[i].size > 0; i++) {
        numbers[sized[i].group] = i;
        ++*group_count;
    }
    for (uint32_t i = 0; i < count; i++)
        groups[i] = numbers[groups[i]];
    sh_free(sized);
    sh_free(numbers);
    return SH_OK;
}
