/* generation_parts: all that a search service needs for generations beside the live one:
 * whoever makes their vectors, what is asked of them, and their jobs. Loop thread only.
 */
#ifndef SEARCH_GENERATION_PARTS_H
#define SEARCH_GENERATION_PARTS_H

#include "services/search/fit/refit.h"
#include "services/search/generations/generation_watch.h"
#include "services/search/generations/generations.h"
#include "services/search/ingest/pending.h"
#include "services/search/settings.h"

struct generation_parts { /* {0} is closed */
    struct generations generations;
    struct pending *beside; /* makes the vectors */
    struct generation_watch *watch;
    struct refit *refit; /* NULL: not by itself */
};

struct generation_parts_options {
    uv_loop_t *loop;
    const struct search_config *config;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct model_binding *model;
    const struct pending *first;         /* that of the live generation */
    struct query_vectors *const *recent; /* questions, for comparisons */
    struct sh_rpc_server *rpc;
    struct sh_health *health;
    const struct model *shown; /* what searches use now */
};

/* Errors: SH_NOMEM, those of sh_rpc_server_add(). */
SH_CHECK enum sh_err
generation_parts_start(struct generation_parts *self,
                       const struct generation_parts_options *options);
/* The embedder came back. */
void generation_parts_wake(struct generation_parts *self);
/* As model_binding_options.lost. */
void generation_parts_lost(struct generation_parts *self, const struct model *instead);
/* Nothing new is begun; the service drains. */
void generation_parts_pause(struct generation_parts *self);
/* After the jobs were drained, before the database is closed. */
void generation_parts_close(struct generation_parts *self);

#endif
