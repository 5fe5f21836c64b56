/* desk: answers jobs.* for all jobs, whoever works on them. One sees one's own jobs, an
 * admin and services see all; what one may not see does not exist. Loop thread only. */
#ifndef SEARCH_DESK_H
#define SEARCH_DESK_H

#include "shared/jobs.h"
#include "shared/rpc_server.h"

struct desk;

struct desk_options {
    struct sh_pg *pg;
    uint64_t backlog_bytes; /* of items that wait; more are not taken */
    uint64_t most_by_user;  /* jobs that have not ended */
};

SH_CHECK enum sh_err desk_create(uv_loop_t *loop, const struct desk_options *options,
                                 struct desk **out);
/* The methods; the desk must outlive the server's calls. Errors: those of
 * sh_rpc_server_add(). */
SH_CHECK enum sh_err desk_add_methods(struct desk *desk, struct sh_rpc_server *rpc);
/* A job (NULL: any) may have changed: who waits for it is told. */
void desk_changed(struct desk *desk, const char *job_id);
/* Nobody waits any longer. */
void desk_drain(struct desk *desk);
void desk_close(struct desk **desk);

#endif
