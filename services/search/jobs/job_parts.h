/* job_parts: what the service has for jobs: this process as a worker of the queue, with
 * all kinds of jobs that the service does, and the desk that answers for them. Loop
 * thread only. */
#ifndef SEARCH_JOB_PARTS_H
#define SEARCH_JOB_PARTS_H

#include "services/search/jobs/desk.h"
#include "services/search/jobs/ingest.h"

struct job_parts { /* {0} is closed */
    struct sh_jobs *jobs;
    struct desk *desk;
};

struct job_parts_options {
    struct sh_pg *pg;
    const struct sh_pg_config *pg_config;
    const struct sh_jobs_config *config;
    struct sh_rpc_server *rpc;
    const struct sh_job_kind *kinds;
    size_t kind_count;
};

/* Errors: those of sh_jobs_create() and sh_rpc_server_add(). */
SH_CHECK enum sh_err job_parts_start(struct job_parts *self, uv_loop_t *loop,
                                     const struct job_parts_options *options);
/* `done` when nothing is in hand any more. */
void job_parts_drain(struct job_parts *self, void (*done)(void *arg), void *arg);
void job_parts_close(struct job_parts *self);

#endif
