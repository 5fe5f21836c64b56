/* trails: ways from a place, lengthened in order of what they cost until one has come to
 * the goal (Dijkstra 1959; with bounds of what is still to come Hart, Nilsson and Raphael
 * 1968). Where the number of edges is limited, a way that costs more but has fewer edges
 * is followed as well. */
#ifndef GRAPH_TRAILS_H
#define GRAPH_TRAILS_H

#include "services/graph/walk/reach.h"

#define TRAIL_NONE      UINT32_MAX
#define TRAIL_UNLIMITED UINT32_MAX

struct trail {
    double cost;     /* so far */
    double rank;     /* at least so much at the goal */
    uint32_t before; /* the trail that this one lengthens; TRAIL_NONE: a beginning */
    uint32_t length; /* edges */
    uint32_t place;
    struct walk_step step; /* the last */
};

struct trails { /* the owner's to set: */
    const struct walk *walk;
    uint32_t weight;     /* see walk_ends */
    uint32_t max_length; /* of trails; TRAIL_UNLIMITED: each place is reached once */
    /* From the goal backwards until the start was reached; NULL: nothing is known. */
    const struct trails *remains;
    const uint32_t *shut; /* edges on which no trail begins */
    size_t shut_count;
    size_t *budget; /* trails that may still be made */
    /* its own: */
    struct reach reach; /* depth: least length that arrived; from: the cheapest trail */
    struct trail *items;
    size_t count;
    size_t capacity;
    uint32_t *heap; /* of trails that are still to be lengthened */
    size_t waiting;
    double bound;    /* whatever has not been reached costs at least this */
    bool unweighted; /* an edge without a usable weight was passed by */
};

/* No trail may pass here. Errors: SH_NOMEM. */
SH_CHECK enum sh_err trails_close(struct trails *self, uint32_t place);
/* *found: the trail to `goal`, or TRAIL_NONE. The beginning is `start`, at what it costs
 * and with as many edges as it has come with. Errors: SH_NOMEM, SH_CANCELED; SH_TIMEOUT:
 * the budget has ended. */
SH_CHECK enum sh_err trails_run(struct trails *self, const struct trail *start,
                                uint32_t goal, uint32_t *found);
void trails_free(struct trails *self);

/* What an edge costs: not negative. False: it has no usable weight. */
bool trails_weigh(const struct graph_reader *reader, uint32_t weight, uint32_t edge,
                  double *out);

#endif
