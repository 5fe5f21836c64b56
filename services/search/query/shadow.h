/* shadow: checks a share of the live searches: the vector leg is repeated and
 * compared with an exact scan under the same filter. What it finds is the metric
 * cairn_search_recall_ratio{strategy,selectivity}; selectivity is the decade: "0.1" for
 * more than a hundredth and up to a tenth of the vectors. It gives way: one at a time,
 * which stands still while somebody waits for an answer (yield.h), none begins while
 * searches wait for a thread, and never more than a hundredth of the time of one core.
 * Loop thread only. */
#ifndef SEARCH_SHADOW_H
#define SEARCH_SHADOW_H

#include <stdatomic.h>

#include "services/search/feed/feed.h"
#include "services/search/query/recent_recall.h"
#include "shared/workers.h"

struct shadow { /* the first part is the owner's to fill; it outlives the workers */
    struct feed *feed;
    struct sh_workers *searchers;
    struct sh_workers *checker; /* one thread, which becomes nicer for good */
    double rate;                /* share of the searches, 0 to 1 */
    atomic_bool stopped;        /* what runs is of no use any more */
    /* its own */
    uint64_t random;
    uint64_t next_us; /* not before */
    struct recent_recall recent;
    bool running;
};

/* A search with a vector leg has been answered; what `ask` points to is copied. */
void shadow_offer(struct shadow *self, const struct view_query *ask);

#endif
