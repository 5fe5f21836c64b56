/* figures: what the indexes and vectors of the graph take of the memory, as metrics. Loop
 * thread only. */
#ifndef GRAPH_FIGURES_H
#define GRAPH_FIGURES_H

#include "services/graph/feed/feed.h"
#include "services/graph/vectors/node_vectors.h"

struct figures {
    struct feed *feed;
    struct node_vectors *vectors; /* NULL: there are to be none */
};

/* Both must be there until figures_stop(). Errors: SH_TOOBIG. */
SH_CHECK enum sh_err figures_start(struct figures *self);
void figures_stop(struct figures *self);

#endif
