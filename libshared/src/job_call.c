#include "shared/job_call.h"

#include <stdlib.h>

struct job_call {
    struct sh_rpc_call *call;
    sh_job_begun_fn *begun;
};

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    const struct job_call *self = arg;

    if (reply->err == SH_OK)
        self->begun(self->call, reply);
    else if (reply->key_reused)
        sh_rpc_fail_key_reused(self->call);
    else if (reply->err == SH_BUSY)
        sh_rpc_fail(self->call, SH_CONFLICT, NULL, NULL,
                    "too many of your jobs have not ended yet");
    else
        sh_rpc_fail_write(self->call, reply->err, reply->maybe_done);
}

static enum sh_err add(struct sh_pg *pg, struct sh_rpc_call *call,
                       const struct sh_job_new *order, sh_job_begun_fn *begun)
{
    struct job_call *self = sh_arena_alloc(sh_rpc_call_arena(call), sizeof *self);
    const struct caller *caller = sh_rpc_call_caller(call);
    struct sh_buffer rights = {0};
    struct sh_job_new whole = *order;

    if (self == NULL)
        return SH_NOMEM;
    *self = (struct job_call){.call = call, .begun = begun};
    enum sh_err err = msg_encode(caller_desc(), caller, &rights);
    whole.caller = sh_buffer_bytes(&rights);
    whole.created_by = caller->user_id;
    if (err == SH_OK)
        err = sh_job_add(pg, &whole, on_added, self);
    sh_buffer_free(&rights);
    return err;
}

void sh_job_call(struct sh_pg *pg, struct sh_rpc_call *call,
                 const struct sh_job_new *order, char *params, sh_job_begun_fn *begun)
{
    struct sh_job_new whole = *order;
    enum sh_err err = params == NULL ? SH_NOMEM : pg == NULL ? SH_DRAINING : SH_OK;

    whole.params = sh_bytes_of(params != NULL ? params : "");
    if (err == SH_OK)
        err = add(pg, call, &whole, begun);
    if (err != SH_OK)
        sh_rpc_fail_write(call, err, false);
    free(params);
}
