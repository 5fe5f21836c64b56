/* watch: what the search service says of itself: its health checks, a search of its own
 * every few seconds, and gauges. What answers searches is a source of some of it. Loop
 * thread only. */
#ifndef SEARCH_WATCH_H
#define SEARCH_WATCH_H

#include "services/search/ingest/model.h"
#include "services/search/query/backend.h"
#include "shared/health.h"
#include "shared/pg.h"
#include "shared/rpc_client.h"

enum { WATCH_PARAMETERS = 2, WATCH_DETAIL_MAX = 512 };

/* What is searched, as it is now. */
struct watch_index {
    uint64_t documents;
    uint64_t chunks;
    uint64_t vectors;
    uint64_t pending; /* passages without a vector, as last counted */
    enum sh_health_state state;
    const char *why;               /* "" when healthy */
    char detail[WATCH_DETAIL_MAX]; /* a JSON object */
};

/* What differs between backends. Nothing is called once the watch closes. */
struct watch_source {
    void *self;
    const struct sh_pg_statement *figures; /* one row, in text */
    /* Fills the statement's parameters, which stay until the next call; returns how many,
     * 0 when it cannot be asked yet. */
    unsigned (*ask)(void *self, struct sh_pg_param params[WATCH_PARAMETERS]);
    void (*read)(void *self, const PGresult *figures);
    void (*forget)(void *self); /* they could not be read; NULL: older ones will do */
    void (*look)(void *self, struct watch_index *out);
    /* What the self-test may look for, "" when nothing is known. */
    const char *(*sample)(void *self);
    /* What it says of the service that a self-test was refused, and why. */
    enum sh_health_state (*refused)(enum sh_err err, const char **why);
};

struct watch_options {
    struct sh_health *health;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct model_binding *model;
    struct search_backend backend;
    struct watch_source source;
};

struct watch;

SH_CHECK enum sh_err watch_create(uv_loop_t *loop, const struct watch_options *options,
                                  struct watch **out);
/* The source, the embedder or the model changed: say so at once. NULL is fine. */
void watch_refresh(struct watch *self);
/* It ends when the database and the self-test have answered. */
void watch_close(struct watch **watch);

#endif
