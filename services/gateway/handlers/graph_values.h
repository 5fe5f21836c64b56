/* graph_values: values of queries in openCypher, between JSON and msgpack as
 * proto/messages/cypher.h has them. */
#ifndef GATEWAY_GRAPH_VALUES_H
#define GATEWAY_GRAPH_VALUES_H

#include <jansson.h>

#include "shared/buffer.h"

/* An object of parameters (NULL: none), appended as a map. Errors stick in `out`. */
void graph_values_pack(json_t *object, struct sh_buffer *out);
/* A value, here the rows of an answer, appended as JSON; nodes, relationships and paths
 * as the other routes of the graph show them. Errors: SH_MALFORMED, SH_NOMEM. */
SH_CHECK enum sh_err graph_values_write(struct sh_bytes packed, struct sh_buffer *out);

#endif
