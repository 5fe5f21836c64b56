/* loader: carries rows from journals to PostgreSQL, one batch at a time: the writer's own
 * journal, then those that other processes left. The own rows are copied into the table;
 * where that fails, and with those of others, they are merged: sending a batch twice does
 * no harm, because chain and number of a record are its key. A batch that PostgreSQL
 * refuses is merged line by line, and what it refuses then is put aside. Loop thread
 * only. */
#ifndef GATEWAY_AUDIT_LOADER_H
#define GATEWAY_AUDIT_LOADER_H

#include "services/gateway/audit/journal.h"
#include "shared/pg_copy.h"

struct loader;

/* `own` must outlive it; `settled` is called whenever a batch was stored, or
 * failed, and nothing is under way. Errors: SH_NOMEM, SH_IO. */
struct loader_events {
    void (*settled)(void *arg);
    void *arg;
};
SH_CHECK enum sh_err loader_open(uv_loop_t *loop, const struct sh_pg_config *pg,
                                 struct journal *own, const struct loader_events *events,
                                 struct loader **out);
/* There may be something to do: at once. */
void loader_kick(struct loader *loader);
/* The own journal has more; soon, so that a batch is worth its while. */
void loader_added(struct loader *loader);
/* Nothing of the own journal waits, and nothing is under way. */
bool loader_idle(const struct loader *loader);
/* The last attempt failed. */
bool loader_failing(const struct loader *loader);
/* What is under way is given up; *loader becomes NULL, NULL is fine. */
void loader_close(struct loader **loader);

#endif
