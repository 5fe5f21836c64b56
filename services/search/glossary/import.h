/* import: the job that stores the terms of a file: a child reads it, batch by batch each
 * is stored with the job's cursor in one transaction, so that a crash neither loses nor
 * repeats one. What is wrong with a line is told in the job's result. Loop thread only.
 */
#ifndef SEARCH_IMPORT_H
#define SEARCH_IMPORT_H

#include "services/search/files/fetch.h"
#include "services/search/glossary/terms_child.h"
#include "shared/jobs.h"
#include "shared/rpc_server.h"

#define IMPORT_KIND "glossary_import"

struct importing;

struct importer {
    uv_loop_t *loop;
    struct sh_pg *pg; /* NULL: closing */
    struct fetch_options fetch;
    struct terms_child_options child;
    uint64_t most_by_user; /* jobs that have not ended */
    struct importing *first;
};

/* METHOD_GLOSSARY_IMPORT; `arg` is the importer. */
void import_handle(void *arg, struct sh_rpc_call *call);
struct sh_job_kind import_kind(struct importer *self);
/* Runs in hand are released; before the jobs and the database are closed. */
void import_stop(struct importer *self);

#endif
