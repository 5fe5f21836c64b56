/* exports: METHOD_GRAPH_EXPORT. An export is opened, read piece by piece, and closed when
 * it has ended, when its reader says so, or when nobody asked for a minute. It holds one
 * version of the graph all the while: what is changed meanwhile is kept twice. Loop
 * thread only; pieces are written on workers. */
#ifndef GRAPH_EXPORTS_H
#define GRAPH_EXPORTS_H

#include "services/graph/feed/feed.h"
#include "shared/rpc_server.h"

struct exports;

/* Errors: SH_NOMEM, those of sh_rpc_server_add(). */
SH_CHECK enum sh_err exports_create(uv_loop_t *loop, struct feed *feed,
                                    struct sh_workers *workers, struct sh_rpc_server *rpc,
                                    struct exports **out);
/* No call is under way any more. NULL is fine. */
void exports_close(struct exports **exports);

#endif
