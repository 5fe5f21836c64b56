/* watch: what the search service says of itself: its health checks, a search of its own
 * every few seconds, and gauges. Loop thread only. */
#ifndef SEARCH_WATCH_H
#define SEARCH_WATCH_H

#include "services/search/feed/feed.h"
#include "shared/rpc_client.h"

struct watch;

struct watch_options {
    struct sh_health *health;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct sh_workers *workers;
    struct feed *feed;
    struct model_binding *model;
};

SH_CHECK enum sh_err watch_create(uv_loop_t *loop, const struct watch_options *options,
                                  struct watch **out);
/* The feed, the embedder or the model changed: say so at once. */
void watch_refresh(struct watch *self);
void watch_close(struct watch **watch);

#endif
