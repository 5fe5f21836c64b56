/* generation_watch: what the health check "generations" and the metrics say of them:
 * which one is live, which one this replica's searches use, which are being built. Looks
 * every few seconds. Loop thread only. */
#ifndef SEARCH_GENERATION_WATCH_H
#define SEARCH_GENERATION_WATCH_H

#include "services/search/ingest/model.h"
#include "shared/health.h"

struct generation_watch;

struct generation_watch_options {
    struct sh_health *health;
    struct sh_pg *pg;
    const struct model_binding *binding;
    const struct model *shown; /* what searches use now */
};

SH_CHECK enum sh_err
generation_watch_create(uv_loop_t *loop, const struct generation_watch_options *options,
                        struct generation_watch **out);
/* NULL is fine. */
void generation_watch_close(struct generation_watch **watch);

#endif
