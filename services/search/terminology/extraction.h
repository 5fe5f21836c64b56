/* extraction: the job that looks for terms in documents: of one document, of a collection
 * or of all, as far as whoever asked may read them. Documents of the same rights and
 * language are counted together, one such group after the other; when a group has been
 * read its candidates are stored. A run that is taken over goes on with the group that it
 * was in, from that group's beginning. Loop thread only. */
#ifndef SEARCH_EXTRACTION_H
#define SEARCH_EXTRACTION_H

#include "shared/jobs.h"
#include "shared/rpc_server.h"
#include "shared/workers.h"

#define EXTRACTION_KIND "glossary_extract"

struct extraction;

struct extractor {
    uv_loop_t *loop;
    struct sh_pg *pg; /* NULL: closing */
    struct sh_workers *workers;
    uint64_t most_by_user; /* jobs that have not ended */
    struct extraction *current;
};

/* METHOD_GLOSSARY_EXTRACT; `arg` is the extractor. */
void extraction_handle(void *arg, struct sh_rpc_call *call);
struct sh_job_kind extraction_kind(struct extractor *self);
/* Before the jobs and the database are closed. */
void extraction_stop(struct extractor *self);

#endif
