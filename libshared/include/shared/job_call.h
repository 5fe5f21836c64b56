/* job_call: a call whose work becomes a job of the caller: with his rights, in his name,
 * and refused in one way for all such calls. Loop thread only. */
#ifndef SHARED_JOB_CALL_H
#define SHARED_JOB_CALL_H

#include "shared/jobs.h"
#include "shared/rpc_server.h"

/* The job is there: answer the call. `job` is borrowed until this returns. */
typedef void sh_job_begun_fn(struct sh_rpc_call *call, const struct sh_job_reply *job);

/* Stores the job that `order` tells of; its caller and created_by are filled in here, and
 * `params` are its params: JSON from malloc(), freed here; NULL: there was no memory. The
 * call is answered, by `begun` or with what failed: SH_CONFLICT for too many jobs of the
 * user and for a write key that stands for something else. `pg` NULL: SH_DRAINING. */
void sh_job_call(struct sh_pg *pg, struct sh_rpc_call *call,
                 const struct sh_job_new *order, char *params, sh_job_begun_fn *begun);

#endif
