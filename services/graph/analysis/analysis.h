/* analysis: an order carried out over what a caller may see, and what is told of it. Any
 * thread, one at a time. */
#ifndef GRAPH_ANALYSIS_H
#define GRAPH_ANALYSIS_H

#include "services/graph/analysis/measures.h"
#include "services/graph/analysis/order.h"

struct analysis {
    struct analysis_order order;
    struct analysis_watch watch; /* to be looked at, and cancelled, by others */
    struct dense graph;
    double *scores;   /* of each node, for degree and rank */
    uint32_t *groups; /* of each node, for the other kinds */
    uint32_t group_count;
    struct rank_outcome rank;
    double modularity;
};

/* What is to be analysed; ends before anything is computed, so the reader can be left.
 * Errors: SH_NOMEM, SH_CANCELED. */
SH_CHECK enum sh_err analysis_take(struct analysis *self,
                                   const struct graph_reader *reader);
/* Errors: SH_NOMEM, SH_CANCELED. */
SH_CHECK enum sh_err analysis_compute(struct analysis *self);
/* What is written of a node. */
double analysis_value(const struct analysis *self, uint32_t node);
/* {"kind", "nodes", "edges", …, "top" or "groups"}, jansson's memory; `written`: nodes
 * that got the property. NULL: out of memory. */
char *analysis_tell(const struct analysis *self, uint64_t written);
void analysis_free(struct analysis *self);

#endif
