/* graph_import_job: an import of the graph that is stored by a job. */
#ifndef GATEWAY_GRAPH_IMPORT_JOB_H
#define GATEWAY_GRAPH_IMPORT_JOB_H

#include "services/gateway/exchange.h"
#include "services/gateway/graphs/reader.h"

/* Whether ?job= says so. False: answered. */
SH_CHECK bool graph_import_wants_job(struct exchange *x, bool *out);
/* The body becomes a job, whose id is the answer. */
void graph_import_as_job(struct exchange *x, enum graph_format format);

#endif
