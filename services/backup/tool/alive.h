/* alive: a machine that is gone ends no connection. Ours and those of PostgreSQL's
 * programs are given up when the server has been silent for half a minute, or as the
 * keepalives_* of DATABASE_URL say; and the server gives up sessions that hold locks as
 * soon, so that another replica can take over. One thread. */
#ifndef BACKUP_ALIVE_H
#define BACKUP_ALIVE_H

#include <libpq-fe.h>

#include "services/backup/run/work.h"

/* Of libpq: seconds, seconds, and how often. */
#define ALIVE_WORDS  "keepalives_idle", "keepalives_interval", "keepalives_count"
#define ALIVE_VALUES "15", "5", "3"

enum { ALIVE_OPTION = 160 };

/* For a program of PostgreSQL's that has the rest from database_env(). What one that
 * `sends` much has sent may lie with a server that is busy: only silence counts. */
void alive_option(const char *conninfo, bool sends, char out[static ALIVE_OPTION]);
/* For a session that holds locks and sends little: both ends. Errors: SH_UPSTREAM; the
 * work has the text. */
SH_CHECK enum sh_err alive_lease(struct work *work, PGconn *conn);

#endif
