/* drop: the job that removes the vectors of a generation that is "dropping", some at a
 * time, and then its row. Loop thread only. */
#ifndef SEARCH_GENERATION_DROP_H
#define SEARCH_GENERATION_DROP_H

#include "services/search/generations/reindex.h"

#define DROP_KIND "drop_generation"

/* As reindex_run(). The job's parameters are {"fingerprint"}. */
struct runner *drop_run(const struct reindex_options *options, struct sh_job_run *run);

#endif
