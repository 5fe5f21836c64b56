/* ingest: jobs whose items are documents. Each is an encoded document_put and goes the
 * way of every other put, with the rights that the job's creator had when it was made.
 * Loop thread only. */
#ifndef SEARCH_JOBS_INGEST_H
#define SEARCH_JOBS_INGEST_H

#include "services/search/ingest/put.h"
#include "shared/jobs.h"

#define INGEST_KIND "ingest"

/* What is registered with sh_jobs_create(); the putter must outlive the jobs. */
struct sh_job_kind ingest_kind(struct putter *putter, unsigned at_once);

#endif
