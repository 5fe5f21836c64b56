/* held: a graph that several use. The last one to let it go ends it. Loop thread only. */
#ifndef GRAPH_HELD_H
#define GRAPH_HELD_H

#include "services/graph/find/finder.h"
#include "services/graph/find/value_finder.h"

struct held_graph {
    struct graph *graph;
    struct finder *finder; /* of its nodes */
    struct value_finder *values;
    size_t users;
};

/* One user: the caller. `names`: see finder.h. Errors: SH_NOMEM. */
SH_CHECK enum sh_err held_new(const char *names, struct held_graph **out);
void held_release(struct held_graph *held); /* NULL is fine */

#endif
