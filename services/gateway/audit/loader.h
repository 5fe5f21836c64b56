/* loader: carries lines from journals to PostgreSQL, one batch at a time: the writer's
 * own journal, then those that other processes left. A batch is one statement; sending
 * one twice does no harm, because chain and number of a record are its key. A batch that
 * PostgreSQL refuses is sent line by line, and what it refuses then is put aside. Loop
 * thread only. */
#ifndef GATEWAY_AUDIT_LOADER_H
#define GATEWAY_AUDIT_LOADER_H

#include "services/gateway/audit/journal.h"
#include "shared/pg.h"

struct loader;

/* `pg` and `own` must outlive it; `settled` is called whenever a batch was stored, or
 * failed, and nothing is under way. Errors: SH_NOMEM, SH_IO. */
struct loader_events {
    void (*settled)(void *arg);
    void *arg;
};
SH_CHECK enum sh_err loader_open(uv_loop_t *loop, struct sh_pg *pg, struct journal *own,
                                 const struct loader_events *events, struct loader **out);
/* There may be something to do. */
void loader_kick(struct loader *loader);
/* Nothing of the own journal waits, and nothing is under way. */
bool loader_idle(const struct loader *loader);
/* The last attempt failed. */
bool loader_failing(const struct loader *loader);
/* What is under way is given up; *loader becomes NULL. */
void loader_close(struct loader **loader);

#endif
