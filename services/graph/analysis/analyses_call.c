/* An analysis is asked for: it becomes a job. */
#include <stdlib.h>

#include "services/graph/analysis/analyses.h"
#include "services/graph/analysis/order.h"

static void refuse(struct sh_rpc_call *call, enum sh_err err)
{
    if (err == SH_BUSY)
        sh_rpc_fail(call, SH_CONFLICT, NULL, NULL,
                    "too many of your jobs have not ended yet");
    else
        sh_rpc_fail(call, err == SH_CANCELED ? SH_UNAVAILABLE : err, NULL, NULL, "%s",
                    sh_err_text(err));
}

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    struct sh_rpc_call *call = arg;
    const struct graph_analysis_job job = {.id = sh_bytes_of(reply->id),
                                           .state = sh_bytes_of(reply->state)};

    if (reply->err == SH_OK)
        sh_rpc_reply(call, graph_analysis_job_desc(), &job);
    else if (reply->key_reused)
        sh_rpc_fail(call, SH_CONFLICT, "idempotency_key_reused", NULL,
                    "this Idempotency-Key was used for something else");
    else if (reply->maybe_done)
        sh_rpc_fail_write(call, reply->err, true);
    else
        refuse(call, reply->err);
}

static void add(const struct analyses *self, struct sh_rpc_call *call,
                const struct analysis_order *order)
{
    const struct caller *caller = sh_rpc_call_caller(call);
    struct sh_buffer rights = {0};
    char *params = order_write(order);
    enum sh_err err = params ? msg_encode(caller_desc(), caller, &rights) : SH_NOMEM;
    struct sh_job_new job = {.kind = ANALYSIS_KIND,
                             .style = SH_JOB_STEPS,
                             .params = sh_bytes_of(params ? params : ""),
                             .caller = sh_buffer_bytes(&rights),
                             .created_by = caller->user_id,
                             .write_key = sh_rpc_call_idempotency_key(call),
                             .most_by_user = self->most_by_user};

    if (err == SH_OK)
        err = sh_job_add(self->pg, &job, on_added, call);
    if (err != SH_OK)
        refuse(call, err);
    sh_buffer_free(&rights);
    free(params); /* jansson's */
}

static void on_call(void *arg, struct sh_rpc_call *call)
{
    const struct analyses *self = arg;
    struct graph_analysis asked;
    struct analysis_order order;
    const char *field;

    if (sh_rpc_call_decode(call, graph_analysis_desc(), &asked) != SH_OK)
        return;
    if (self->pg == NULL)
        refuse(call, SH_DRAINING);
    else if (order_read(&asked, &order, &field) != SH_OK)
        sh_rpc_fail(call, SH_INVALID, NULL, field, "%s is out of range", field);
    else
        add(self, call, &order);
}

enum sh_err analyses_serve(struct analyses *self, struct sh_rpc_server *rpc)
{
    return sh_rpc_server_add(rpc, METHOD_GRAPH_ANALYSE, "graph.analyse", 0, on_call,
                             self);
}
