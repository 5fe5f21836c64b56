/* pg_watch: what the watch is told when PostgreSQL answers searches. Loop thread only. */
#ifndef SEARCH_PG_WATCH_H
#define SEARCH_PG_WATCH_H

#include "services/search/pgvector/backend_pgvector.h"
#include "services/search/pgvector/pg_keeper.h"
#include "services/search/watch.h"

struct pg_watch {
    const struct backend_pgvector *backend;
    const struct pg_keeper *keeper;
    /* its own, as last counted */
    uint64_t documents;
    uint64_t chunks;
    uint64_t vectors;
    uint64_t pending;
    char sample[257]; /* some document's title */
};

/* `self` must live until the watch is closed. */
struct watch_source pg_watch(struct pg_watch *self);

#endif
