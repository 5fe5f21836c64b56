/* shown: METHOD_VIEW_WAIT: whether this replica's view shows a transaction, as soon as it
 * does. Waits through a reload of the view as well. Loop thread only. */
#ifndef SEARCH_SHOWN_H
#define SEARCH_SHOWN_H

#include "services/search/feed/feed.h"
#include "shared/rpc_server.h"

struct shown;

/* `feed` NULL: there is no view that could be behind. Errors: SH_NOMEM. */
SH_CHECK enum sh_err shown_create(uv_loop_t *loop, struct feed *feed, struct shown **out);
/* `arg` is the struct shown. */
void shown_handle(void *arg, struct sh_rpc_call *call);
/* Who waits is told that the view does not show it; no call may come any more. Before the
 * feed is closed, in the same turn of the loop. */
void shown_close(struct shown **shown);

#endif
