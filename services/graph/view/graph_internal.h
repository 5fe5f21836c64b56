/* graph_internal: what graph.c (versions and readers) and graph_change.c (making the next
 * version) share. */
#ifndef GRAPH_GRAPH_INTERNAL_H
#define GRAPH_GRAPH_INTERNAL_H

#include "services/graph/view/graph.h"
#include "shared/epoch.h"

struct freed { /* places that can be used again */
    uint32_t *places;
    size_t count;
    size_t capacity;
};

struct leftover { /* what a version replaced */
    uint64_t epoch;
    struct retired memory;
    struct leftover *next;
};

struct graph {
    struct sh_epoch epoch;
    _Atomic(struct graph_version *) current;
    struct symbols *labels;
    struct symbols *types;
    struct symbols *keys;
    struct symbols *classes; /* clearance as one byte, then the department */
    /* the writer's */
    struct freed free_nodes;
    struct freed free_edges;
    struct leftover *first; /* oldest first */
    struct leftover **end;
};

bool graph_version_node(const struct graph_version *version, struct sh_bytes id,
                        uint32_t *place);
bool graph_version_edge(const struct graph_version *version, struct sh_bytes id,
                        uint32_t *place);
/* `next` is what readers enter from now on; `replaced` is released when the last of the
 * readers before has left. */
void graph_publish(struct graph *graph, struct graph_version *next,
                   struct leftover *leftover);

#endif
