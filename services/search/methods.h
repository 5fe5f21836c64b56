/* methods: what other services may call of the search service. Loop thread only. */
#ifndef SEARCH_METHODS_H
#define SEARCH_METHODS_H

#include "services/search/answer_state.h"
#include "services/search/files/files.h"
#include "services/search/ingest/put.h"
#include "services/search/ingest/put_file.h"
#include "services/search/quality/marker.h"
#include "services/search/query/browse.h"
#include "services/search/query/query.h"
#include "services/search/query/shown.h"
#include "services/search/query/suggest.h"
#include "services/search/settings.h"

struct methods { /* {0} is stopped */
    struct boosts boosts;
    struct querier querier;
    struct documents documents;
    struct browser browser;
    struct suggester suggester;
    struct shown *shown;
    struct marker *marker; /* beside them: what they stored is compared */
    struct answer_state answer_state;
};

struct methods_options {
    const struct search_config *config;
    struct sh_pg *pg;
    struct feed *feed; /* NULL: searches read the record itself */
    struct putter *putter;
    struct file_putter *file_putter;
    struct files *files;
    struct sh_workers *workers; /* for searches */
    struct querier querier;     /* but for its boosts */
};

/* `self` must live as long as its calls do. Errors: those of sh_rpc_server_add(). */
SH_CHECK enum sh_err methods_start(struct methods *self, uv_loop_t *loop,
                                   struct sh_rpc_server *rpc,
                                   const struct methods_options *options);
/* What the feed's view shows may have changed. */
void methods_moved(struct methods *self);
/* Calls under way end without what may now be closed. */
void methods_stop(struct methods *self);

#endif
