/* fusion: brings the legs of a search into one order. The legs are complete (every match
 * with its score), so the order of the first results never depends on how many are asked
 * for. Pure: any thread. */
#ifndef SEARCH_FUSION_H
#define SEARCH_FUSION_H

#include "services/search/fusion/leg.h"
#include "shared/err.h"
#include "shared/mem.h"

enum fusion_method { FUSION_WEIGHTED, FUSION_RRF };
enum { FUSION_RRF_K = 60 };

struct fusion_input {
    enum fusion_method method;
    const struct leg *text;   /* NULL: the leg is out */
    const struct leg *vector; /* cosines, threshold not applied; NULL: out */
    double threshold;         /* least cosine that is a hit of the vector leg */
    double weight;            /* of the vector leg, 0 to 1; the text leg has the rest */
    double score_weight;      /* share of the fused score in the combined one */
    /* What is added to it for the slot (priority, campus). */
    double (*boost)(const void *arg, uint32_t slot);
    /* < 0: `a` comes first among equals. */
    int (*order)(const void *arg, uint32_t a, uint32_t b);
    const void *arg;
};

struct fusion_hit {
    uint32_t slot;
    bool in_text;
    bool in_vector;
    bool has_vector;
    float text;       /* BM25 */
    float similarity; /* cosine */
    double text_part; /* normalised, unweighted: 0 to 1 */
    double vector_part;
    double score;    /* 0 to 1 */
    double combined; /* score and boosts, 0 to 1: what orders the hits */
};

struct fusion_result {
    struct fusion_hit *hits; /* in `arena`, best first */
    size_t count;
    size_t total; /* hits of either leg, before the cut at `most` */
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err fusion_run(const struct fusion_input *input, size_t most,
                                struct sh_arena *arena, struct fusion_result *result);

/* --- ranks ------------------------------------------------------------------------ */

struct fusion_ranks {
    float *scores; /* descending */
    size_t count;
};

/* Of the hits of a leg of at least `least`. Errors: SH_NOMEM. */
SH_CHECK enum sh_err fusion_ranks_make(const struct leg *leg, float least,
                                       struct sh_arena *arena,
                                       struct fusion_ranks *ranks);
/* From 1; equal scores share a rank. */
size_t fusion_rank(const struct fusion_ranks *ranks, float score);

/* --- diversity -------------------------------------------------------------------- */

enum { FUSION_POOL = 200 };

/* Reorders the first FUSION_POOL hits by maximal marginal relevance: each next one has
 * the greatest (1 - diversity) · combined - diversity · (likeness to the closest one
 * above). `likeness` is 0 to 1. Errors: SH_NOMEM. */
SH_CHECK enum sh_err fusion_diversify(struct fusion_result *result, double diversity,
                                      double (*likeness)(const void *arg, uint32_t a,
                                                         uint32_t b),
                                      const void *arg, struct sh_arena *arena);

#endif
