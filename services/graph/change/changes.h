/* changes: METHOD_GRAPH_PUT, _MERGE, _DELETE and METHOD_VIEW_WAIT: what is asked of the
 * store over the bus, answered when this replica's view shows it, and whether the view
 * shows what another replica stored. Loop thread only. */
#ifndef GRAPH_CHANGES_H
#define GRAPH_CHANGES_H

#include "services/graph/feed/feed.h"
#include "shared/rpc_server.h"

struct changes {
    struct sh_pg *pg;
    struct feed *feed;
};

/* `changes` is borrowed until the server closes. Errors: those of sh_rpc_server_add(). */
SH_CHECK enum sh_err changes_serve(struct sh_rpc_server *rpc, struct changes *changes);

#endif
