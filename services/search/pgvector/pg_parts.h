/* pg_parts: all that a search service needs besides when PostgreSQL answers its searches,
 * in place of feed and view. Loop thread only. */
#ifndef SEARCH_PG_PARTS_H
#define SEARCH_PG_PARTS_H

#include "services/search/pgvector/pg_watch.h"
#include "services/search/settings.h"

struct pg_parts { /* {0} is closed */
    struct backend_pgvector backend;
    struct pg_keeper *keeper;
    struct pg_watch watch; /* a source of the service's watch */
    const struct model *live;
    struct model shown; /* what searches use: until another one's index is made */
    void (*changed)(void *arg);
    void *arg;
};

struct pg_parts_options {
    const struct search_config *config;
    struct sh_pg *pg;
    struct sh_workers *workers; /* for searches */
    struct model_binding *model;
    void (*changed)(void *arg); /* how far it is, or what keeps it */
    void *arg;
};

/* `self` must live as long as its searches do. Errors: SH_NOMEM. */
SH_CHECK enum sh_err pg_parts_start(struct pg_parts *self, uv_loop_t *loop,
                                    const struct pg_parts_options *options);
/* Another model is in use, or the one that is became known. */
void pg_parts_model(struct pg_parts *self);
void pg_parts_close(struct pg_parts *self);

#endif
