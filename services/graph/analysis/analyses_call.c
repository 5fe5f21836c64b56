/* An analysis is asked for: it becomes a job. */
#include "services/graph/analysis/analyses.h"
#include "services/graph/analysis/order.h"
#include "shared/job_call.h"

static void begun(struct sh_rpc_call *call, const struct sh_job_reply *reply)
{
    const struct graph_analysis_job job = {.id = sh_bytes_of(reply->id),
                                           .state = sh_bytes_of(reply->state)};

    sh_rpc_reply(call, graph_analysis_job_desc(), &job);
}

static void on_call(void *arg, struct sh_rpc_call *call)
{
    const struct analyses *self = arg;
    const struct sh_job_new job = {.kind = ANALYSIS_KIND,
                                   .style = SH_JOB_STEPS,
                                   .write_key = sh_rpc_call_idempotency_key(call),
                                   .most_by_user = self->most_by_user};
    struct graph_analysis asked;
    struct analysis_order order;
    const char *field;

    if (sh_rpc_call_decode(call, graph_analysis_desc(), &asked) != SH_OK)
        return;
    if (order_read(&asked, &order, &field) == SH_OK)
        sh_job_call(self->pg, call, &job, order_write(&order), begun);
    else
        sh_rpc_fail(call, SH_INVALID, NULL, field, "%s is out of range", field);
}

enum sh_err analyses_serve(struct analyses *self, struct sh_rpc_server *rpc)
{
    return sh_rpc_server_add(rpc, METHOD_GRAPH_ANALYSE, "graph.analyse", 0, on_call,
                             self);
}
