/* view_recall: how much of what it should find the vector leg of a query finds. */
#ifndef SEARCH_VIEW_RECALL_H
#define SEARCH_VIEW_RECALL_H

#include <stdatomic.h>

#include "services/search/view/view.h"

enum { RECALL_AT = 10 };

struct view_recall {
    double ratio;         /* of the best RECALL_AT passages, how many it found */
    const char *strategy; /* how it searched: exact, graph, filtered_graph */
    double selectivity;   /* share of the vectors that may be found */
};

/* Repeats the vector leg of a search as it is done, with `candidates` of them (0: as many
 * as searches take), and compares with every allowed vector at full precision. Holds the
 * view for reading no longer than a search does. `stopped` (NULL: never) may be set on
 * another thread. Errors: as view_search() has them; SH_NOTFOUND: the query has no vector
 * leg, or there is nothing to be found; SH_TIMEOUT; SH_CANCELED; SH_CONFLICT: the model
 * changed meanwhile. */
SH_CHECK enum sh_err view_recall(const struct view *view, const struct view_query *asked,
                                 uint32_t candidates, const atomic_bool *stopped,
                                 struct view_recall *out);

#endif
