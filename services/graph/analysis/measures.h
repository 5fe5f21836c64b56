/* measures: what is computed of a graph as a whole. The same graph gives the same result
 * to the last bit: everything goes in order of the nodes. Pure, any thread; all stop with
 * SH_CANCELED soon after the watch is cancelled. */
#ifndef GRAPH_MEASURES_H
#define GRAPH_MEASURES_H

#include "services/graph/analysis/dense.h"

enum measure_direction { MEASURE_BOTH, MEASURE_OUT, MEASURE_IN };

/* How many edges a node has; one that leads to itself counts once each way. */
void measure_degree(const struct dense *graph, enum measure_direction direction,
                    double *scores);

struct rank_options {
    double damping; /* the share that follows the edges, below 1 */
    double tolerance;
    uint32_t iterations; /* at most */
};

struct rank_outcome {
    uint32_t iterations;
    double change; /* of the last one: sum of the differences */
    bool converged;
};

/* PageRank (Page, Brin, Motwani, Winograd 1999) by power iteration; scores add up to 1.
 * What reaches a node without outgoing edges is shared by all. Errors: SH_NOMEM,
 * SH_CANCELED. */
SH_CHECK enum sh_err measure_rank(const struct dense *graph,
                                  const struct rank_options *options,
                                  struct analysis_watch *watch, double *scores,
                                  struct rank_outcome *outcome);

/* --- groups: each node is in one, numbered by size, the largest first; of equal ones
 * that with the first node is first. ------------------------------------------------- */

/* What hangs together, whatever the direction: union-find with path halving (Tarjan and
 * van Leeuwen 1984). Errors as above. */
SH_CHECK enum sh_err measure_components(const struct dense *graph,
                                        struct analysis_watch *watch, uint32_t *groups,
                                        uint32_t *group_count);

/* Communities by modularity: the method of Louvain (Blondel, Guillaume, Lambiotte,
 * Lefebvre 2008), nodes in their order, directions ignored; `resolution` as of Reichardt
 * and Bornholdt 2006: above 1 more and smaller ones. Errors as above. */
SH_CHECK enum sh_err measure_communities(const struct dense *graph, double resolution,
                                         struct analysis_watch *watch, uint32_t *groups,
                                         uint32_t *group_count, double *modularity);

/* Numbers groups (any numbers below graph->count) as said above. Errors: SH_NOMEM. */
SH_CHECK enum sh_err measure_number_groups(uint32_t count, uint32_t *groups,
                                           uint32_t *group_count);

#endif
