/* memory_parts: all that a search service needs besides when the view in memory answers
 * its searches. Loop thread only. */
#ifndef SEARCH_MEMORY_PARTS_H
#define SEARCH_MEMORY_PARTS_H

#include "services/search/query/backend_memory.h"
#include "services/search/query/shadow.h"
#include "services/search/query/watch_memory.h"
#include "services/search/settings.h"
#include "services/search/worker_parts.h"

struct memory_parts { /* {0} is closed */
    struct feed *feed;
    struct backend_memory backend;
    struct shadow shadow;
    struct watch_memory watch; /* a source of the service's watch */
};

struct memory_parts_options {
    const struct search_config *config;
    const struct sh_pg_config *pg_config;
    struct sh_pg *pg;
    const struct worker_parts *workers;
    struct model_binding *model;
    void (*changed)(void *arg); /* how far the view is */
    void (*moved)(void *arg);   /* what it shows */
    void *arg;
};

/* Loading begins when the model is known. `self` must live as long as its searches do.
 * Errors: those of feed_create(). */
SH_CHECK enum sh_err memory_parts_start(struct memory_parts *self, uv_loop_t *loop,
                                        const struct memory_parts_options *options);
/* Another model is in use, or the one that is became known. */
void memory_parts_model(struct memory_parts *self);
void memory_parts_close(struct memory_parts *self);

#endif
