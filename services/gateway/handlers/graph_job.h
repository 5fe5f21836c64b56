/* graph_job: work on the graph that has become a job. */
#ifndef GATEWAY_GRAPH_JOB_H
#define GATEWAY_GRAPH_JOB_H

#include "services/gateway/exchange.h"

/* exchange_call's `done`, of a graph_analysis_job: 202 and which it is. */
void graph_job_begun(struct exchange *x, const struct sh_rpc_response *response);

#endif
