/* arrays: nodes and edges as parameters of the statements. */
#ifndef GRAPH_STORE_ARRAYS_H
#define GRAPH_STORE_ARRAYS_H

#include "proto/msg.h"
#include "shared/pg_array.h"

enum { ARRAYS_MAX = 8 };

struct arrays {
    struct sh_buffer columns[ARRAYS_MAX];
    size_t count;
};

/* Errors: SH_NOMEM. arrays_free() in any case. */
SH_CHECK enum sh_err arrays_of_nodes(const struct graph_node_put *nodes, size_t count,
                                     struct arrays *out);
SH_CHECK enum sh_err arrays_of_edges(const struct graph_edge_put *edges, size_t count,
                                     struct arrays *out);
void arrays_free(struct arrays *arrays);
/* Texts as PostgreSQL writes an array of them: {"a","b"}. */
void arrays_text(struct sh_buffer *out, const struct sh_bytes *texts, size_t count);

#endif
