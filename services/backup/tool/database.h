/* database: the database, and PostgreSQL's programs as they are told of it. Passwords go
 * through the environment, never a command line. One thread. */
#ifndef BACKUP_DATABASE_H
#define BACKUP_DATABASE_H

#include <libpq-fe.h>

#include "services/backup/run/work.h"

/* Path of a program ("pg_dump") of the newest PostgreSQL; its name alone where none is
 * found, for the PATH. */
void database_tool(const struct work *work, const char *name, char out[BACKUP_PATH]);
/* "pg_dump (PostgreSQL) 15.20" into `out`, or "". */
void database_tool_version(struct work *work, const char *name, char out[128]);

/* An environment for them: ours without PG*, and the database's PG*. `conninfo` as
 * libpq's; `name` another database there, or NULL. The caller ends it with
 * database_env_free(). NULL: the work has the text. */
char **database_env(struct work *work, const char *conninfo, const char *name);
void database_env_free(char **env);

/* Of the settings; the caller frees it with sh_free(). */
char *database_conninfo(const struct work *work);
/* A connection to it, or to another database there. NULL: the work has the text, and
 * SH_UNAVAILABLE is meant. End it with PQfinish(). */
PGconn *database_open(struct work *work, const char *conninfo, const char *name);
/* One statement. NULL: the work has the text. */
PGresult *database_ask(struct work *work, PGconn *conn, const char *sql);
PGresult *database_ask_with(struct work *work, PGconn *conn, const char *sql, int count,
                            const char *const *params);
SH_CHECK enum sh_err database_do(struct work *work, PGconn *conn, const char *sql);
/* Several statements, which give nothing back. */
SH_CHECK enum sh_err database_script(struct work *work, PGconn *conn, const char *sql);
/* One value, copied; "" when there is none. */
SH_CHECK enum sh_err database_value(struct work *work, PGconn *conn, const char *sql,
                                    char *out, size_t size);

#endif
