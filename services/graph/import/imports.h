/* imports: what was uploaded for the graph is stored by a job. The upload comes in
 * portions, each of which is kept (table graph_import_parts) before the next is taken;
 * when it is whole, a job is made of it. The job stores a portion at a time, in one
 * transaction with its own checkpoint, so after a crash whoever takes it over goes on
 * with the portion that was not stored. It has the rights that whoever started it had
 * then. Loop thread only. */
#ifndef GRAPH_IMPORTS_H
#define GRAPH_IMPORTS_H

#include "shared/jobs.h"
#include "shared/rpc_server.h"

#define IMPORT_KIND "graph_import"
enum { IMPORT_ID = 33 }; /* 32 hex digits */

struct import_run;

struct imports {            /* the first three are the owner's to set */
    struct sh_pg *pg;       /* NULL: stopping */
    uint64_t backlog_bytes; /* that may wait */
    uint64_t most_by_user;  /* jobs that have not ended */
    struct import_run *running;
};

/* The methods that keep a portion and begin a job. Errors: those of sh_rpc_server_add().
 */
SH_CHECK enum sh_err imports_serve(struct imports *self, struct sh_rpc_server *rpc);
/* What is registered with sh_jobs_create(). */
struct sh_job_kind imports_kind(struct imports *self);
/* Before the jobs are closed: what runs is released when what is under way has ended. */
void imports_stop(struct imports *self);

/* Whether these are 32 lower-case hex digits. */
bool imports_id_ok(struct sh_bytes id);

#endif
