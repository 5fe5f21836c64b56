/* said: what the services last said of themselves, as figures of the last hour. Pure. */
#ifndef GATEWAY_HISTORY_SAID_H
#define GATEWAY_HISTORY_SAID_H

#include <stdint.h>

struct census_answer;

enum said {
    SAID_RECALL,      /* of searches, 0 to 1: the lowest of search's replicas */
    SAID_SEARCH_LAG,  /* seconds behind the record: the largest of search's replicas */
    SAID_GRAPH_LAG,   /* and of graph's */
    SAID_SEARCH_POOL, /* connections to PostgreSQL that search's replicas may have */
    SAID_SEARCH_USED, /* those in use */
    SAID_GRAPH_POOL,
    SAID_GRAPH_USED,
    SAID_COUNT
};

/* NAN where no replica said it. */
void said_read(const struct census_answer *census, double said[static SAID_COUNT]);

/* As gauges of a ring (ring.h), and back. What is no number, or less than nothing, is
 * unknown; what is too large is cut. */
void said_to_gauges(const double said[static SAID_COUNT],
                    uint64_t gauges[static SAID_COUNT]);
void said_of_gauges(const uint64_t gauges[static SAID_COUNT],
                    double said[static SAID_COUNT]);

#endif
