#include "services/backup/restore/hold.h"

#include <stdio.h>
#include <string.h>

#include "services/backup/restore/swap.h"
#include "services/backup/tool/alive.h"
#include "shared/clock.h"

enum { LOOKS_MS = 2500, TURN_MS = 50, TRIES = 6 };

static const char limits[] =
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET lock_timeout = '10s'; SET deadlock_timeout = '1s'";

/* All but what says who was there, which no restore is asked to keep. */
static const char tables_sql[] =
    "SELECT 'LOCK TABLE ' || string_agg(format('%I.%I', nspname, relname), ', ' "
    "ORDER BY c.oid) || ' IN SHARE ROW EXCLUSIVE MODE' "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
    "WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^pg_' "
    "AND nspname <> 'information_schema' AND NOT (nspname = 'public' AND relname IN "
    "('users', 'login_lockouts', 'api_keys', 'audit_log', 'audit_heads', 'job_workers', "
    "'file_sweeps', 'maintenance'))";

/* --- telling gateways ------------------------------------------------------------- */

static enum sh_err tell(struct work *work, struct swap *swap)
{
    const char *params[] = {swap->name};
    enum sh_err err = alive_lease(work, swap->conn);
    PGresult *row = NULL;

    if (err != SH_OK)
        return err;
    row = database_ask_with(work, swap->conn,
                            "SELECT pg_try_advisory_lock(hashtext('cairn-maintenance'), "
                            "hashtext($1))",
                            1, params);
    swap->hold.told = row != NULL && PQgetvalue(row, 0, 0)[0] == 't';
    err = row == NULL ? SH_UPSTREAM : SH_OK;
    PQclear(row);
    if (err == SH_OK && !swap->hold.told)
        err =
            work_fail(work, SH_CONFLICT, "another restore of this database is under way");
    return err;
}

/* Nobody needs to be told where nobody is. */
static enum sh_err somebody_there(struct work *work, struct swap *swap, bool *there)
{
    const char *params[] = {swap->name};
    PGresult *rows = database_ask_with(
        work, swap->conn, "SELECT FROM pg_stat_activity WHERE datname = $1 LIMIT 1", 1,
        params);

    *there = rows != NULL && PQntuples(rows) > 0;
    PQclear(rows);
    return rows != NULL ? SH_OK : SH_UPSTREAM;
}

/* Gateways look once a second. */
static enum sh_err await_gateways(struct work *work)
{
    uint64_t until = sh_now_ms() + LOOKS_MS;
    enum sh_err err = SH_OK;

    while (err == SH_OK && sh_now_ms() < until) {
        work_pause(TURN_MS);
        err = work_go_on(work);
    }
    return err;
}

/* --- the tables ------------------------------------------------------------------- */

static enum sh_err lock_once(struct work *work, PGconn *conn, const char *sql)
{
    struct work quiet = *work;
    enum sh_err err = database_do(work, conn, "BEGIN");

    quiet.error[0] = '\0';
    if (err != SH_OK)
        return err;
    if (database_do(&quiet, conn, sql) == SH_OK)
        return SH_OK;
    err = database_do(work, conn, "ROLLBACK");
    return err == SH_OK ? SH_TIMEOUT : err;
}

/* Whoever writes now is let finish; of a deadlock we may be the ones to step back. */
static enum sh_err lock_tables(struct work *work, struct hold *hold)
{
    PGresult *row = database_ask(work, hold->conn, tables_sql);
    enum sh_err err = row != NULL ? SH_TIMEOUT : SH_UPSTREAM;

    if (row != NULL && PQgetisnull(row, 0, 0)) /* there are none */
        err = SH_OK;
    for (int i = 0; i < TRIES && err == SH_TIMEOUT; i++) {
        err = work_go_on(work);
        if (err == SH_OK)
            err = lock_once(work, hold->conn, PQgetvalue(row, 0, 0));
    }
    PQclear(row);
    if (err == SH_TIMEOUT)
        err = work_fail(work, err, "somebody does not stop writing to the database");
    return err;
}

/* One that was killed while it swapped has left the door shut. */
enum sh_err hold_repair(struct work *work, struct swap *swap)
{
    enum sh_err err = swap->hold.told ? SH_OK : tell(work, swap);

    return err == SH_OK && swap->there ? swap_open_door(work, swap) : err;
}

enum sh_err hold_enter(struct work *work, struct swap *swap)
{
    bool there = false;
    enum sh_err err;

    work_stage(work, "maintenance");
    err = hold_repair(work, swap);
    if (err != SH_OK || !swap->there)
        return err;
    err = somebody_there(work, swap, &there);
    if (err == SH_OK && there)
        err = await_gateways(work);
    if (err != SH_OK)
        return err;
    swap->hold.conn = database_open(work, swap->conninfo, NULL);
    if (swap->hold.conn == NULL)
        return SH_UNAVAILABLE;
    err = database_script(work, swap->hold.conn, limits);
    if (err == SH_OK)
        err = alive_lease(work, swap->hold.conn);
    return err == SH_OK ? lock_tables(work, &swap->hold) : err;
}

int hold_pid(const struct hold *hold)
{
    return hold->conn != NULL ? PQbackendPID(hold->conn) : 0;
}

void hold_let_go(struct hold *hold)
{
    PQfinish(hold->conn);
    hold->conn = NULL;
}
