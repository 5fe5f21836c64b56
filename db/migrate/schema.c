#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shared/bytes.h"
#include "shared/clock.h"

/* Runners of any version agree on this number. */
#define LOCK_SQL "SELECT pg_advisory_xact_lock(7166034425)"

PGconn *schema_connect(const char *conninfo, unsigned wait_s)
{
    static const char *const keys[] = {"connect_timeout", "options", "application_name",
                                       "dbname", NULL};
    static const char options[] = "-c client_min_messages=warning -c statement_timeout=0 "
                                  "-c idle_in_transaction_session_timeout=0";
    const char *const values[] = {"10", options, "cairn-migrate", conninfo, NULL};
    static const struct timespec pause = {.tv_nsec = 200000000};
    uint64_t until = sh_now_ms() + 1000 * (uint64_t)wait_s;

    for (;;) {
        PGconn *conn = PQconnectdbParams(keys, values, 1);
        if (PQstatus(conn) == CONNECTION_OK)
            return conn;
        if (sh_now_ms() >= until) {
            (void)fprintf(stderr, "cannot connect: %s", PQerrorMessage(conn));
            PQfinish(conn);
            return NULL;
        }
        PQfinish(conn);
        (void)nanosleep(&pause, NULL);
    }
}

/* --- SQL -------------------------------------------------------------------------- */

static PGresult *query(PGconn *conn, const char *sql, int count,
                       const char *const *values)
{
    PGresult *result = count > 0
                           ? PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0)
                           : PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return result;
    (void)fprintf(stderr, "%s", PQresultErrorMessage(result));
    PQclear(result);
    return NULL;
}

static enum sh_err run(PGconn *conn, const char *sql, int count,
                       const char *const *values)
{
    PGresult *result = query(conn, sql, count, values);

    if (!result)
        return PQstatus(conn) == CONNECTION_OK ? SH_INVALID : SH_UNAVAILABLE;
    PQclear(result);
    return SH_OK;
}

/* A transaction that holds the lock. Waiting for a table for longer than this would make
 * everybody else wait behind us. */
static enum sh_err begin(PGconn *conn)
{
    enum sh_err err = run(conn, "BEGIN", 0, NULL);

    if (err == SH_OK)
        err = run(conn, LOCK_SQL, 0, NULL);
    if (err == SH_OK)
        err = run(conn, "SET LOCAL lock_timeout = '30s'", 0, NULL);
    return err;
}

static enum sh_err end(PGconn *conn, enum sh_err err)
{
    if (err == SH_OK)
        return run(conn, "COMMIT", 0, NULL);
    if (PQtransactionStatus(conn) != PQTRANS_IDLE)
        (void)run(conn, "ROLLBACK", 0, NULL); /* the first error is the one that counts */
    return err;
}

static enum sh_err prepare(PGconn *conn)
{
    enum sh_err err = begin(conn);

    if (err == SH_OK)
        err =
            run(conn,
                "CREATE TABLE IF NOT EXISTS schema_migrations ("
                "version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, "
                "applied_at timestamptz NOT NULL DEFAULT now())",
                0, NULL);
    return end(conn, err);
}

/* The file's statements; they may not end the transaction that they run in. */
static enum sh_err run_file(PGconn *conn, const char *path)
{
    struct sh_buffer text = {0};
    enum sh_err err = migration_text(path, &text);

    if (err == SH_OK)
        err = run(conn, text.data, 0, NULL);
    sh_buffer_free(&text);
    if (err != SH_OK) {
        (void)fprintf(stderr, "%s failed; nothing of it was kept\n", path);
    } else if (PQtransactionStatus(conn) != PQTRANS_INTRANS) {
        (void)fprintf(
            stderr,
            "%s ends its transaction; what it did so far is kept, undo it by hand "
            "and take COMMIT or ROLLBACK out\n",
            path);
        err = SH_INVALID;
    }
    return err;
}

/* --- state ------------------------------------------------------------------------ */

static unsigned version_at(const PGresult *applied, int row)
{
    return (unsigned)strtoul(PQgetvalue(applied, row, 0), NULL, 10);
}

static PGresult *read_applied(PGconn *conn)
{
    return query(
        conn,
        "SELECT version, name, sha256, to_char(applied_at AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM schema_migrations ORDER BY version",
        0, NULL);
}

/* The row of a version; -1 when it is not applied. */
static int row_of(const PGresult *applied, unsigned version)
{
    for (int row = 0; row < PQntuples(applied); row++) {
        if (version_at(applied, row) == version)
            return row;
    }
    return -1;
}

static bool is_changed(const PGresult *applied, int row,
                       const struct migration *migration)
{
    return strcmp(PQgetvalue(applied, row, 2), migration->sha256) != 0;
}

/* Applied by a newer program that had more files: no reason to stop an older one. */
static enum sh_err verify(PGconn *conn, const struct migrations *migrations)
{
    PGresult *applied = read_applied(conn);
    enum sh_err err = SH_OK;

    if (!applied)
        return SH_UNAVAILABLE;
    for (int row = 0; row < PQntuples(applied); row++) {
        const struct migration *known =
            migrations_find(migrations, version_at(applied, row));
        if (!known) {
            (void)fprintf(stderr, "%04u_%s is applied, but its file is not here\n",
                          version_at(applied, row), PQgetvalue(applied, row, 1));
        } else if (is_changed(applied, row, known)) {
            (void)fprintf(
                stderr,
                "%s was changed after it was applied: put it back and add a new "
                "file\n",
                known->path);
            err = SH_CONFLICT;
        }
    }
    PQclear(applied);
    return err;
}

/* --- steps ------------------------------------------------------------------------ */

static bool is_applied(PGconn *conn, const char *version, enum sh_err *err)
{
    PGresult *result = query(
        conn, "SELECT 1 FROM schema_migrations WHERE version = $1::int", 1, &version);
    bool found = PQntuples(result) > 0;

    *err = result ? SH_OK : SH_UNAVAILABLE;
    PQclear(result);
    return found;
}

/* Under the lock it is looked again: another runner may have been here. */
static enum sh_err apply(PGconn *conn, const struct migration *migration)
{
    char version[16];
    const char *const row[] = {version, migration->name, migration->sha256};
    enum sh_err err;

    (void)snprintf(version, sizeof(version), "%u", migration->version);
    err = begin(conn);
    if (err != SH_OK || is_applied(conn, version, &err) || err != SH_OK)
        return end(conn, err);
    err = run_file(conn, migration->path);
    if (err == SH_OK)
        err = run(conn,
                  "INSERT INTO schema_migrations (version, name, sha256) "
                  "VALUES ($1::int, $2, $3)",
                  3, row);
    err = end(conn, err);
    if (err == SH_OK)
        (void)printf("applied %04u_%s\n", migration->version, migration->name);
    return err;
}

static enum sh_err undo(PGconn *conn, const struct migration *migration)
{
    char version[16];
    const char *const row[] = {version};
    enum sh_err err;

    (void)snprintf(version, sizeof(version), "%u", migration->version);
    err = begin(conn);
    if (err != SH_OK || !is_applied(conn, version, &err) || err != SH_OK)
        return end(conn, err);
    err = run_file(conn, migration->down_path);
    if (err == SH_OK)
        err = run(conn, "DELETE FROM schema_migrations WHERE version = $1::int", 1, row);
    err = end(conn, err);
    if (err == SH_OK)
        (void)printf("undone %04u_%s\n", migration->version, migration->name);
    return err;
}

enum sh_err schema_up(PGconn *conn, const struct migrations *migrations)
{
    enum sh_err err = prepare(conn);

    if (err == SH_OK)
        err = verify(conn, migrations);
    for (size_t i = 0; i < migrations->count && err == SH_OK; i++)
        err = apply(conn, &migrations->items[i]);
    return err;
}

/* The way back of every one is looked for before the first is undone. */
static enum sh_err undo_rows(PGconn *conn, const struct migrations *migrations,
                             const PGresult *applied, int from)
{
    enum sh_err err = SH_OK;

    for (int row = from; row < PQntuples(applied); row++) {
        const struct migration *known =
            migrations_find(migrations, version_at(applied, row));
        if (known && known->down_path)
            continue;
        (void)fprintf(stderr, "%04u_%s has no way back here\n", version_at(applied, row),
                      PQgetvalue(applied, row, 1));
        err = SH_INVALID;
    }
    for (int row = PQntuples(applied) - 1; row >= from && err == SH_OK; row--)
        err = undo(conn, migrations_find(migrations, version_at(applied, row)));
    return err;
}

static enum sh_err down(PGconn *conn, const struct migrations *migrations,
                        unsigned version, unsigned count)
{
    enum sh_err err = prepare(conn);
    PGresult *applied = err == SH_OK ? read_applied(conn) : NULL;
    int from;

    if (!applied)
        return err == SH_OK ? SH_UNAVAILABLE : err;
    from = PQntuples(applied);
    while (from > 0 && count > 0 && version_at(applied, from - 1) > version) {
        from--;
        count--;
    }
    err = undo_rows(conn, migrations, applied, from);
    PQclear(applied);
    return err;
}

enum sh_err schema_down_to(PGconn *conn, const struct migrations *migrations,
                           unsigned version)
{
    return down(conn, migrations, version, UINT32_MAX);
}

enum sh_err schema_down(PGconn *conn, const struct migrations *migrations, unsigned count)
{
    return down(conn, migrations, 0, count);
}

enum sh_err schema_status(PGconn *conn, const struct migrations *migrations)
{
    enum sh_err err = prepare(conn);
    PGresult *applied = err == SH_OK ? read_applied(conn) : NULL;

    if (!applied)
        return err == SH_OK ? SH_UNAVAILABLE : err;
    for (size_t i = 0; i < migrations->count; i++) {
        const struct migration *m = &migrations->items[i];
        int row = row_of(applied, m->version);
        const char *state = row < 0 ? "pending" : PQgetvalue(applied, row, 3);
        bool changed = row >= 0 && is_changed(applied, row, m);
        (void)printf("%04u  %-24s %s%s\n", m->version, m->name, state,
                     changed ? "  file changed since" : "");
    }
    for (int row = 0; row < PQntuples(applied); row++) {
        if (!migrations_find(migrations, version_at(applied, row)))
            (void)printf("%04u  %-24s %s  file missing\n", version_at(applied, row),
                         PQgetvalue(applied, row, 1), PQgetvalue(applied, row, 3));
    }
    PQclear(applied);
    return SH_OK;
}
