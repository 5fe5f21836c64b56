#include "services/backup/physical/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 100, PAUSE_NS = 20000000 };

static const char begin_sql[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
static const char position_sql[] =
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE "
    "pg_current_wal_insert_lsn() END";
static const char version_sql[] =
    "SELECT CASE WHEN to_regclass('schema_migrations') IS NULL THEN '' ELSE "
    "(xpath('/row/v/text()', query_to_xml('SELECT coalesce(max(version)::text, '''') AS "
    "v FROM schema_migrations', false, true, '')))[1]::text END";

/* "12:12:" lists nobody: 12 is then who comes next. "": somebody is under way. */
static void next_of(const char *snapshot, char out[static 24])
{
    char *end = NULL;
    unsigned long long from = strtoull(snapshot, &end, 10);
    unsigned long long to = *end == ':' ? strtoull(end + 1, &end, 10) : 0;

    out[0] = '\0';
    if (from == to && to > 0 && strcmp(end, ":") == 0)
        (void)snprintf(out, 24, "%llu", from);
}

enum sh_err moment_before(struct work *work, const char *conninfo, struct moment *moment)
{
    char snapshot[256];
    enum sh_err err;

    moment->other = database_open(work, conninfo, NULL);
    if (moment->other == NULL)
        return SH_UNAVAILABLE;
    err = database_value(work, moment->other, "SELECT pg_current_snapshot()", snapshot,
                         sizeof(snapshot));
    if (err == SH_OK)
        next_of(snapshot, moment->expected);
    return err;
}

/* One attempt to find nobody at work. */
static enum sh_err try_once(struct work *work, PGconn *conn, struct moment *moment)
{
    char snapshot[256];
    char expected[24];
    char next[24];
    enum sh_err err = database_do(work, conn, begin_sql);

    if (err == SH_OK)
        err = database_value(work, conn, "SELECT pg_current_snapshot()", snapshot,
                             sizeof(snapshot));
    if (err == SH_OK)
        err = database_value(work, conn, position_sql, moment->lsn, sizeof(moment->lsn));
    if (err == SH_OK)
        err = database_value(work, moment->other,
                             "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE "
                             "pg_current_xact_id()::text END",
                             next, sizeof(next));
    if (err != SH_OK)
        return err;
    next_of(snapshot, expected);
    moment->exact = expected[0] != '\0' && strcmp(expected, next) == 0;
    moment->alone = moment->exact && strcmp(expected, moment->expected) == 0;
    return SH_OK;
}

enum sh_err moment_count(struct work *work, PGconn *conn, struct moment *moment)
{
    const struct timespec pause = {0, PAUSE_NS};
    enum sh_err err = try_once(work, conn, moment);

    for (unsigned i = 1; i < TRIES && err == SH_OK && !moment->exact; i++) {
        (void)nanosleep(&pause, NULL);
        err = work_go_on(work);
        if (err == SH_OK)
            err = database_do(work, conn, "ROLLBACK");
        if (err == SH_OK)
            err = try_once(work, conn, moment);
    }
    if (err == SH_OK)
        err = facts_count(work, conn, &moment->facts);
    return err == SH_OK ? database_value(work, conn, version_sql, moment->schema_version,
                                         sizeof(moment->schema_version))
                        : err;
}

void moment_end(struct moment *moment)
{
    PQfinish(moment->other);
    json_decref(moment->facts);
    *moment = (struct moment){0};
}
