/* schema: brings a database to a state of the migrations. Each file runs in a transaction
 * of its own that also holds the lock against other runners and keeps the account in
 * schema_migrations, so a run that breaks off leaves whole steps only. Blocking; what
 * goes wrong is told on stderr. */
#ifndef MIGRATE_SCHEMA_H
#define MIGRATE_SCHEMA_H

#include <libpq-fe.h>

#include "migration.h"

/* Tries until the server answers or `wait_s` have passed; NULL when it does not. */
PGconn *schema_connect(const char *conninfo, unsigned wait_s);
/* Apply what is not applied yet. Errors: SH_CONFLICT (a file was changed after it was
 * applied), SH_INVALID (SQL), SH_UNAVAILABLE. */
SH_CHECK enum sh_err schema_up(PGconn *conn, const struct migrations *migrations);
/* Undo, newest first, everything above `version`. */
SH_CHECK enum sh_err schema_down_to(PGconn *conn, const struct migrations *migrations,
                                    unsigned version);
/* Undo the newest `count`. */
SH_CHECK enum sh_err schema_down(PGconn *conn, const struct migrations *migrations,
                                 unsigned count);
/* A table on stdout. */
SH_CHECK enum sh_err schema_status(PGconn *conn, const struct migrations *migrations);

#endif
