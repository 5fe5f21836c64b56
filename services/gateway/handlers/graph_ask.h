/* graph_ask: what the routes of the graph have in common: reading their parameters, and
 * asking the graph. */
#ifndef GATEWAY_GRAPH_ASK_H
#define GATEWAY_GRAPH_ASK_H

#include "services/gateway/exchange.h"
#include "services/gateway/gateway.h"
#include "services/gateway/handlers/graph_body.h"

enum { GRAPH_ASKED_MAX = 1024 }; /* bytes of a name, or of words, that is asked for */

/* A question; `done` as in exchange_call. */
void graph_ask(struct exchange *x, uint32_t method, const struct msg_desc *desc,
               const void *msg, exchange_reply_fn *done);

/* These answer the request themselves when they return false. */

/* both, out or in as 0, 1, 2. */
SH_CHECK bool graph_read_direction(struct exchange *x, uint32_t *direction);
/* A node that a parameter names. */
SH_CHECK bool graph_read_required(struct exchange *x, const char *name,
                                  struct sh_bytes *out);

#endif
