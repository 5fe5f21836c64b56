/* fit_run: the first part of a reindex to "builtin:lsa": the passages go to one embedder
 * page by page, it fits a model to them, and its file comes back to be stored. The
 * fingerprint is then written into the job's cursor, and the job is left to be taken up
 * as the building of that generation (generations/reindex.h). After a crash of this
 * process or of the embedder the fit begins anew: nothing of it is visible before it is
 * whole. Loop thread only. */
#ifndef SEARCH_FIT_RUN_H
#define SEARCH_FIT_RUN_H

#include "services/search/generations/reindex.h"

#define FIT_MODEL "builtin:lsa"

/* The job asks for a model that is yet to be fitted. */
bool fit_is_due(const struct sh_job_run *run);
/* As reindex_run(). */
struct runner *fit_run(const struct reindex_options *options, struct sh_job_run *run);

#endif
