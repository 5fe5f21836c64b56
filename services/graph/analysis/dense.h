/* dense: what one caller may see of the graph, as arrays, in order of the nodes' numbers:
 * the same on every replica. It owns what it holds; the graph may go on meanwhile. */
#ifndef GRAPH_DENSE_H
#define GRAPH_DENSE_H

#include "services/graph/walk/walk.h"

#define DENSE_NONE UINT32_MAX

struct dense {
    uint32_t count;      /* nodes */
    uint32_t edge_count; /* between them */
    uint32_t *first;     /* of each node's edges; one more at the end */
    uint32_t *target;    /* of each edge; a pair may have several */
    struct sh_bytes *ids;
    struct sh_arena arena;
};

/* What is under way, for whoever looks from another thread. */
struct analysis_watch {
    _Atomic uint32_t done; /* of `total` steps; whatever a step is */
    _Atomic uint32_t total;
    _Atomic bool cancelled;
};

/* Only nodes of `label` and edges of `type`; WALK_ANY: all. Errors: SH_NOMEM,
 * SH_CANCELED; *out is then empty. dense_free() ends it. */
SH_CHECK enum sh_err dense_take(const struct graph_reader *reader, uint32_t label,
                                uint32_t type, const struct analysis_watch *watch,
                                struct dense *out);
void dense_free(struct dense *dense);

#endif
