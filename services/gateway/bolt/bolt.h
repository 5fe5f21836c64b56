/* bolt: the port for Neo4j's drivers: Bolt 4.4 and 5.0 to 5.4 over the graph, for the
 * same users under the same limits as HTTP. One per loop. docs/bolt.md says what is
 * spoken. Loop thread only. */
#ifndef GATEWAY_BOLT_BOLT_H
#define GATEWAY_BOLT_BOLT_H

#include "services/gateway/edge.h"

struct bolt;

/* On the address of the edge's gateway; port 0 takes a free one. The edge must have
 * everything else open. Errors: SH_INVALID, SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err bolt_open(struct edge *edge, uint16_t port, struct bolt **out);
uint16_t bolt_port(const struct bolt *self);
/* No new connections; those that are there end when what they asked is answered. */
void bolt_drain(struct bolt *self, void (*done)(void *arg), void *arg);
/* At once. Before what the edge asks by is closed. NULL is fine. */
void bolt_close(struct bolt **self);

#endif
