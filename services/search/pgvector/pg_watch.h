/* pg_watch: what the search service says of itself when PostgreSQL answers its searches:
 * health checks, a search of its own every few seconds, and gauges. Loop thread only. */
#ifndef SEARCH_PG_WATCH_H
#define SEARCH_PG_WATCH_H

#include "services/search/pgvector/backend_pgvector.h"
#include "services/search/pgvector/pg_keeper.h"
#include "shared/health.h"

struct pg_watch;

struct pg_watch_options {
    struct sh_health *health;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct backend_pgvector *backend;
    struct pg_keeper *keeper;
    struct model_binding *model;
};

SH_CHECK enum sh_err pg_watch_create(uv_loop_t *loop,
                                     const struct pg_watch_options *options,
                                     struct pg_watch **out);
/* The keeper, the embedder or the model changed: say so at once. NULL is fine. */
void pg_watch_refresh(struct pg_watch *self);
void pg_watch_close(struct pg_watch **watch);

#endif
