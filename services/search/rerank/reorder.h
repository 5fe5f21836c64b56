/* reorder: puts the scores of a re-ranking endpoint in place of the fused ones: a
 * result's combined score becomes share · score + boost, cut to 0 … 1. What was not
 * re-ranked stays behind and scores no more than the last that was. Pure: any thread. */
#ifndef SEARCH_REORDER_H
#define SEARCH_REORDER_H

#include "proto/msg.h"
#include "shared/err.h"
#include "shared/mem.h"

/* `scores`: of the first `count` hits. Equal ones keep their order. With `explain` the
 * explanations get "rerank":{"score","rank"}: its rank by that score. Errors: SH_NOMEM.
 */
SH_CHECK enum sh_err reorder_hits(struct search_results *results, const double *scores,
                                  size_t count, double share, bool explain,
                                  struct sh_arena *arena);
/* Leaves the page: so many hits from `offset` on. */
void reorder_page(struct search_results *results, size_t offset, size_t count);
/* Adds the name of a leg that is out, and says so in the plan when there is one. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err reorder_degraded(struct search_results *results, const char *leg,
                                      struct sh_arena *arena);

#endif
