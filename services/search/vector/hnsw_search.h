/* hnsw_search: what the parts of a search share; for its own files and their tests. */
#ifndef SEARCH_HNSW_SEARCH_H
#define SEARCH_HNSW_SEARCH_H

#include <math.h>

#include "services/search/vector/hnsw_internal.h"
#include "shared/clock.h"

enum { ROWS_AHEAD = 4, ROW_LINE = 64, ROW_PREFETCHED = 16 * ROW_LINE };

struct plan {
    enum hnsw_strategy strategy;
    bool two_steps; /* over those that the filter keeps out */
    uint32_t allowed;
    uint32_t ef;
    uint32_t wanted; /* that pass, of those found; with fewer the walk was elsewhere */
};

struct job {
    struct hnsw *self;
    const struct hnsw_query *query;
    const struct plan *plan;
    struct scratch *scratch;
    struct sh_arena *arena;
    struct hnsw_result *result;
    uint32_t most; /* hits that there is room for */
};

static inline const float *full_row(const struct job *job, uint32_t slot)
{
    const struct hnsw_rows *rows = job->query->rows;
    return rows ? rows->row(rows->arg, slot) : NULL;
}

/* By the full row where there is one. */
static inline float full_score(const struct job *job, uint32_t slot, uint32_t node)
{
    const float *row = full_row(job, slot);
    if (row)
        return job->self->coder.kernel->row(job->query->vector, row,
                                            job->self->options.dimension);
    return node_product(job->self, &job->scratch->query, node);
}

/* The row is wanted soon: its first lines, the rest follows by itself. Always inline: a
 * function that only prefetches looks as if it did nothing, and calls of it are left out.
 */
__attribute__((always_inline)) static inline void full_prefetch(const struct job *job,
                                                                uint32_t slot)
{
    const float *row = full_row(job, slot);
    uint32_t dimension = job->self->options.dimension;
    for (size_t i = 0; row && i < dimension && i < ROW_PREFETCHED / sizeof(*row);
         i += ROW_LINE / sizeof(*row))
        __builtin_prefetch(row + i);
}

static inline bool is_late(const struct job *job)
{
    return sh_now_ms() >= job->query->deadline_ms;
}

/* hnsw_best.c: the best `most` hits of a job, a heap with the worst of them on top until
 * they are put in order. */
void best_keep(const struct job *job, struct leg_hit hit);
void best_order(const struct job *job);
/* What a hit must be better than to be kept. */
static inline float best_least(const struct job *job)
{
    const struct hnsw_result *result = job->result;
    return result->count == job->most ? result->hits[0].score : -INFINITY;
}

/* hnsw_plan.c */
struct plan plan_make(const struct hnsw *self, const struct hnsw_query *query);

/* hnsw_scan.c: all that are allowed, one by one. Errors: SH_NOMEM. */
SH_CHECK enum sh_err scan_run(const struct job *job);

/* hnsw_search.c: by this plan. */
SH_CHECK enum sh_err search_by(struct hnsw *self, const struct hnsw_query *query,
                               const struct plan *plan, struct sh_arena *arena,
                               struct hnsw_result *result);

#endif
