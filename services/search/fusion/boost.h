/* boost: how a document's rank in the house moves its passages: by priority, and on the
 * campus of whoever asks. Pure: any thread. */
#ifndef SEARCH_BOOST_H
#define SEARCH_BOOST_H

#include "services/search/filter/campus.h"

struct boosts {
    double score;                /* share of the fused score */
    double priority;             /* for each step of priority */
    double campus[CAMPUS_COUNT]; /* for documents of one's own campus */
};

/* 0.8, 0.01, and the bonuses of CAMPUSES. */
struct boosts boosts_default(void);
/* What is added to the weighted score. */
double boosts_priority(const struct boosts *boosts, uint32_t priority);
double boosts_campus(const struct boosts *boosts, struct sh_bytes own,
                     struct sh_bytes documents);

#endif
