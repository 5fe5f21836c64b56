/* explain: how a hit came by its place, as JSON. Pure: any thread. */
#ifndef SEARCH_EXPLAIN_H
#define SEARCH_EXPLAIN_H

#include <jansson.h>

#include "services/search/fusion/fusion.h"

enum { EXPLAIN_TERMS = 64 }; /* of a query, that a plan shows */

struct explainer {
    struct fusion_ranks text; /* within each leg */
    struct fusion_ranks vector;
    bool want_text; /* the leg ran */
    bool want_vector;
    double weight; /* of the vector leg where both ran */
    enum fusion_method method;
    double score_weight; /* share of the fused score in the combined one */
};

/* The ranks, from the legs (NULL: it did not run) and the threshold that fusion had; the
 * caller fills the rest. Errors: SH_NOMEM. */
SH_CHECK enum sh_err explain_start(const struct leg *text, const struct leg *vector,
                                   double threshold, struct sh_arena *arena,
                                   struct explainer *explainer);
/* `priority` and `campus`: what they add to the score. *json lives in `arena`. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err explain_hit(const struct explainer *explainer,
                                 const struct fusion_hit *hit, double priority,
                                 double campus, struct sh_arena *arena,
                                 struct sh_bytes *json);
/* As text in `arena`; `json` is let go, NULL is out of memory. Errors: SH_NOMEM. */
SH_CHECK enum sh_err explain_print(json_t *json, struct sh_arena *arena,
                                   struct sh_bytes *out);

#endif
