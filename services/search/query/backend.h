/* backend: what answers a search once its question has a vector: the view in memory or
 * PostgreSQL with pgvector. Loop thread only. */
#ifndef SEARCH_BACKEND_H
#define SEARCH_BACKEND_H

#include <stdatomic.h>

#include "services/search/feed/held.h"
#include "shared/trace.h"
#include "shared/workers.h"

/* One search. Whoever starts it fills the first part, owns all of it and keeps it, with
 * what it points to, until `done`; `arena` holds the results. */
struct search_job {
    struct view_query ask;
    const struct sh_trace *trace;
    atomic_bool canceled; /* nobody waits any more: end as soon as may be */
    /* Exactly once for each start that returned SH_OK, never from inside it. Errors: as
     * view_search() has them, SH_CANCELED, SH_BUSY, SH_UNAVAILABLE. */
    void (*done)(struct search_job *job, enum sh_err err);
    struct sh_arena arena;
    struct search_results results; /* filled as view_search() says */
    struct view_problem problem;
    /* the backend's own */
    void *progress;
    struct sh_work work;
    struct held_view *view;
    enum sh_err outcome;
};

struct search_backend {
    /* Errors: SH_BUSY, SH_DRAINING (nothing is loaded yet: another replica may know
     * more), SH_NOMEM, SH_CANCELED (it stops); `done` is then never called. */
    enum sh_err (*start)(void *self, struct search_job *job);
    void *self;
};

#endif
