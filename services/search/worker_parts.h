/* worker_parts: the threads of the service, and to whom some of them give way. Loop
 * thread only. */
#ifndef SEARCH_WORKER_PARTS_H
#define SEARCH_WORKER_PARTS_H

#include "services/search/settings.h"
#include "shared/workers.h"
#include "shared/yield.h"

struct worker_parts { /* {0} is closed */
    struct sh_workers *searchers;
    struct sh_workers *writer;   /* the one thread that changes the view */
    struct sh_workers *builder;  /* one for a view that is made beside it */
    struct sh_workers *checker;  /* one for checks that have time */
    struct sh_workers *ingester; /* decoding, cutting, hashing */
    struct sh_yield *yield;      /* of builder and checker, to searches */
};

/* Errors: those of sh_workers_create(). */
SH_CHECK enum sh_err worker_parts_start(struct worker_parts *self, uv_loop_t *loop,
                                        const struct search_config *config);
void worker_parts_close(struct worker_parts *self);

#endif
