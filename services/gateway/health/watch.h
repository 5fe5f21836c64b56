/* watch: asks every service how it is, each few seconds and whenever a replica comes or
 * goes, and writes the board. Nobody else asks: a request for /health reads the board.
 * Main loop only. */
#ifndef GATEWAY_WATCH_H
#define GATEWAY_WATCH_H

#include "services/gateway/edge.h"

/* Begins at once. `edge` must outlive it. Errors: SH_NOMEM. */
SH_CHECK enum sh_err watch_open(struct gateway *gateway, struct sh_service *service,
                                struct edge *edge, struct watch **out);
/* Something changed: ask soon. */
void watch_nudge(struct watch *watch);
/* Show that the gateway is stopping. */
void watch_draining(struct watch *watch);
/* *watch becomes NULL; memory goes on a later loop turn. NULL is fine. */
void watch_close(struct watch **watch);

#endif
