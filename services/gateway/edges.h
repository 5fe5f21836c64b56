/* edges: all loops of the gateway. The first is the service's own, the others have a
 * thread each. They share the port, and nothing else. Called on the main loop's thread.
 */
#ifndef GATEWAY_EDGES_H
#define GATEWAY_EDGES_H

#include "services/gateway/edge.h"

struct edges_events {
    /* The readiness of search changed on some loop. */
    void (*changed)(void *arg);
    /* Every loop has answered its last request. */
    void (*drained)(void *arg);
    void *arg;
};

/* As many as gateway->loops. Errors: SH_NOMEM, SH_INVALID, SH_IO; nothing is left
 * behind. */
SH_CHECK enum sh_err edges_open(struct gateway *gateway, struct sh_service *service,
                                const struct edges_events *events, struct edges **out);
/* The one on the main loop. */
struct edge *edges_main(struct edges *edges);
/* Every loop has a search replica that can take work. */
bool edges_ready(const struct edges *edges);
/* Finish what was accepted, take nothing new; `drained` follows. */
void edges_drain(struct edges *edges);
/* Ends everything and joins the threads; *edges becomes NULL. NULL is fine. */
void edges_close(struct edges **edges);

#endif
