/* view_results: what a search found, as the answer wants it. */
#ifndef SEARCH_VIEW_RESULTS_H
#define SEARCH_VIEW_RESULTS_H

#include "services/search/fusion/explain.h"
#include "services/search/view/view_internal.h"

/* Under the lock: copies the asked for page of groups, and explains them where that is
 * wanted. Errors: SH_NOMEM. */
SH_CHECK enum sh_err results_copy(struct search *search,
                                  const struct fusion_result *fused,
                                  struct search_results *results);
/* After it: highlights, plan, degraded. Errors: SH_NOMEM. */
SH_CHECK enum sh_err results_finish(struct search *search,
                                    struct search_results *results);

/* --- view_group.c ----------------------------------------------------------------- */

/* search_rank(), and results made of it: search->groups. Errors: as search_rank() has
 * them. */
SH_CHECK enum sh_err search_group(struct search *search, struct fusion_result *fused);
/* What a result of several passages has other than its best passage; texts are the
 * view's or in the scratch. Errors: SH_NOMEM. */
SH_CHECK enum sh_err group_fill(struct search *search, const struct group *group,
                                struct search_hit *hit);

/* --- view_explain.c --------------------------------------------------------------- */

SH_CHECK enum sh_err explain_view_start(struct search *search,
                                        struct explainer *explainer);
SH_CHECK enum sh_err explain_view_hit(const struct search *search,
                                      const struct explainer *explainer,
                                      const struct fusion_hit *hit,
                                      struct sh_bytes *json);
SH_CHECK enum sh_err explain_view_plan(const struct search *search,
                                       struct sh_bytes *json);

#endif
