/* marker: passages that were stored are compared with those that are there, in the
 * background and half of the time at most, a sixteenth while a load goes on; what is
 * nearly the same is marked. The work is PostgreSQL's (db/migrations, duplicates_mark),
 * one search process at a time does it. Loop thread only. */
#ifndef SEARCH_MARKER_H
#define SEARCH_MARKER_H

#include <uv.h>

#include "services/search/ingest/put.h"
#include "shared/pg.h"

struct marker;

/* `similarity`: from which share of common word runs on passages are duplicates. Errors:
 * SH_NOMEM. */
SH_CHECK enum sh_err marker_create(uv_loop_t *loop, struct sh_pg *pg,
                                   const struct putter *putter, double similarity,
                                   struct marker **out);
/* No further batch; the service drains. */
void marker_pause(struct marker *self);
void marker_close(struct marker **self);

#endif
