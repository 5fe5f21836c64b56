/* portion_queue: portions that are whole and wait to be stored, in order. One thread. */
#ifndef GATEWAY_GRAPHS_PORTION_QUEUE_H
#define GATEWAY_GRAPHS_PORTION_QUEUE_H

#include "services/gateway/graphs/portion.h"

struct portion_waiting {
    struct portion_waiting *next;
    struct sh_buffer frame; /* an encoded GRAPH_PUT */
    uint64_t first_line;
    uint64_t last_line;
    uint64_t records;
};

struct portion_queue { /* zeroed: empty */
    struct portion_waiting *first;
    struct portion_waiting *last;
};

/* What is in the portion, if anything; the portion is empty afterwards. Errors: SH_NOMEM,
 * SH_TOOBIG. */
SH_CHECK enum sh_err portion_queue_add(struct portion_queue *queue,
                                       struct portion *portion);
/* The first goes. */
void portion_queue_drop(struct portion_queue *queue);
void portion_queue_clear(struct portion_queue *queue);

#endif
