/* view_legs: runs the legs of a search, so deep that fusion has what it needs. Under the
 * view's lock. */
#ifndef SEARCH_VIEW_LEGS_H
#define SEARCH_VIEW_LEGS_H

#include "services/search/fusion/fusion.h"
#include "services/search/view/view_internal.h"

enum {
    VIEW_CANDIDATES = 128, /* of a leg, however few results are asked for */
    VIEW_POOL = 256,       /* as many where results hang on each other */
    VIEW_COMPLETE = 2000,  /* so few allowed passages are all looked at, by both legs */
};

/* --- view_search.c ---------------------------------------------------------------- */

/* Before the lock: what is asked, understood and checked. Errors: as view_search() has
 * them. */
SH_CHECK enum sh_err search_prepare(struct search *search, struct view_problem *problem);
/* Under it: which legs run, and over which slots. */
SH_CHECK enum sh_err search_select(struct search *search);

/* --- view_legs.c ------------------------------------------------------------------ */

/* When the deadline cuts a leg short, the other one answers and search->degraded tells;
 * SH_TIMEOUT only where there is nothing to answer with. Errors: SH_TIMEOUT, SH_NOMEM. */

/* The text leg alone: what has a chance to be among the first `wanted`, by its score and
 * its boosts. */
SH_CHECK enum sh_err legs_text(struct search *search, size_t wanted);
/* Every allowed passage that one of the legs knows. */
SH_CHECK enum sh_err legs_complete(struct search *search);
/* The best search->candidates of each leg, all with the scores of both legs. */
SH_CHECK enum sh_err legs_best(struct search *search);
/* Something was cut short. */
void legs_tell_deadline(struct search *search);

/* --- view_order.c ----------------------------------------------------------------- */

/* What is added to the scores of a document's passages. */
double search_boost(const struct search *search, const struct filter_row *row);
/* < 0: slot `a` comes first among equals. */
int search_order(const struct search *search, uint32_t a, uint32_t b);
/* Runs the legs and brings what they found into one order, search->depth passages of
 * it at least where there are so many. Errors: as above. */
SH_CHECK enum sh_err search_rank(struct search *search, struct fusion_result *fused);

/* --- view_facets.c ---------------------------------------------------------------- */

/* After the legs: {"over","fields"} in the results' arena, where the query asks for it.
 * Without time for it *json stays as it is. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err search_facets(struct search *search, struct sh_bytes *json);

#endif
