/* What is answered when work on the graph has become a job. */
#include "services/gateway/handlers/graph_job.h"

#include <stdio.h>

#include "services/gateway/json_out.h"

void graph_job_begun(struct exchange *x, const struct sh_rpc_response *response)
{
    struct graph_analysis_job job;
    char place[128];

    if (!exchange_decode(x, graph_analysis_job_desc(), response->payload, &job))
        return;
    (void)snprintf(place, sizeof place, "/api/jobs/%.*s", (int)job.id.len,
                   (const char *)job.id.data);
    sh_http_add_header(x->request, "Location", place);
    x->audit.target = job.id;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    json_member_text(out, "job_id", job.id);
    json_member_text(out, "state", job.state);
    sh_buffer_text(out, "}");
    exchange_answer(x, 202);
}
