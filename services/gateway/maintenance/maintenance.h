/* maintenance: while a live restore is under way, or somebody said so by hand, requests
 * that would change something are refused: 503, code `maintenance`, Retry-After. Reads go
 * on. PostgreSQL knows it: a restore holds an advisory lock, which ends with its
 * connection, whatever becomes of it; by hand it is a row with a time when it is over.
 * So nothing stays refused because somebody died. Each gateway looks once a second, and
 * when it was asked to enter or leave itself; what it lets in meanwhile is stopped by the
 * locks that the restore holds on the tables. */
#ifndef GATEWAY_MAINTENANCE_H
#define GATEWAY_MAINTENANCE_H

#include "services/gateway/edge.h"
#include "services/gateway/gate.h"

struct maintenance;

enum maintenance_why { MAINTENANCE_NONE, MAINTENANCE_RESTORE, MAINTENANCE_BY_HAND };

/* Begins to look. `edge` is the main loop's, and must outlive it. Errors: SH_NOMEM. */
SH_CHECK enum sh_err maintenance_open(struct gateway *gateway, struct edge *edge,
                                      struct maintenance **out);
/* *at becomes NULL; memory goes on a later loop turn. NULL is fine. */
void maintenance_close(struct maintenance **at);

/* `done` once, never from inside. SH_OK: all loops of this gateway go by what is so now,
 * or later. */
typedef void maintenance_looked_fn(void *arg, enum sh_err err);
/* Looks at once. On the thread of `edge`; NULL: SH_UNAVAILABLE. Errors: as sh_pg_run()
 * has them; `done` is then never called. */
SH_CHECK enum sh_err maintenance_look(struct maintenance *self, struct edge *edge,
                                      maintenance_looked_fn *done, void *arg);
/* As it was when looked at last. NULL is fine. Any thread. */
enum maintenance_why maintenance_now(const struct maintenance *self);

/* "restore", "by_hand"; NULL: none. */
const char *maintenance_text(enum maintenance_why why);

/* Whether the route changes what a restore would lose. Pure. */
bool maintenance_concerns(const struct route *route);
/* The step of the gate. */
gate_step maintenance_gate;

#endif
