/* edge_id: the id of a relationship that was given none: the same for the same ends, type
 * and properties, so that whoever stores it twice stores it once. Pure. */
#ifndef PROTO_EDGE_ID_H
#define PROTO_EDGE_ID_H

#include "proto/msg.h"

enum { EDGE_ID_TEXT = 36 };

/* "e:" and half a SHA-256. Empty: out of memory. */
void edge_id(const struct graph_edge_put *edge, char out[static EDGE_ID_TEXT]);

#endif
