/* analyses: analyses of the graph as jobs. A job has the rights that whoever started it
 * had then. What it computes lives with the process that runs it: who takes a job over
 * begins anew, which does no harm. Loop thread only; computing happens on a thread. */
#ifndef GRAPH_ANALYSES_H
#define GRAPH_ANALYSES_H

#include "services/graph/feed/feed.h"
#include "shared/jobs.h"
#include "shared/rpc_server.h"

#define ANALYSIS_KIND "graph_analysis"

struct analysis_run;

struct analyses { /* the first six are the owner's to set */
    uv_loop_t *loop;
    struct sh_pg *pg;
    struct feed *feed;
    struct sh_workers *workers; /* one thread */
    uint64_t most_by_user;      /* jobs that have not ended */
    bool closing;
    struct analysis_run *running;
};

/* The method that adds a job. Errors: those of sh_rpc_server_add(). */
SH_CHECK enum sh_err analyses_serve(struct analyses *self, struct sh_rpc_server *rpc);
/* What is registered with sh_jobs_create(). */
struct sh_job_kind analyses_kind(struct analyses *self);
/* Before the jobs are closed: what is computed is cancelled, the jobs are released. */
void analyses_stop(struct analyses *self);

#endif
