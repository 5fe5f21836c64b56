/* portion: records collected until there are enough to store at once. An id stands in it
 * once: the record that would be the second of its id begins the next portion. One
 * thread. */
#ifndef GATEWAY_GRAPHS_PORTION_H
#define GATEWAY_GRAPHS_PORTION_H

#include "proto/msg.h"
#include "shared/buffer.h"
#include "shared/mem.h"

enum { PORTION_RECORDS = 2000, PORTION_BYTES = 1 << 20, PORTION_SEEN = 8192 };

struct portion { /* zeroed: empty */
    struct sh_arena arena;
    struct graph_node_put nodes[PORTION_RECORDS];
    struct graph_edge_put edges[PORTION_RECORDS];
    uint64_t seen[PORTION_SEEN]; /* hashes of ids; 0: free */
    size_t node_count;
    size_t edge_count;
    size_t bytes;
    uint64_t first_line;
    uint64_t last_line;
    enum sh_err err; /* SH_NOMEM sticks */
};

/* The record is copied. False: the portion must be sent and cleared first. */
SH_CHECK bool portion_add_node(struct portion *portion,
                               const struct graph_node_put *node);
/* One without an id gets that of edge_id(). */
SH_CHECK bool portion_add_edge(struct portion *portion,
                               const struct graph_edge_put *edge);
static inline bool portion_is_empty(const struct portion *portion)
{
    return portion->node_count + portion->edge_count == 0;
}
/* Append an encoded GRAPH_PUT. Errors: SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err portion_encode(const struct portion *portion,
                                    struct sh_buffer *frame);
void portion_clear(struct portion *portion);

#endif
