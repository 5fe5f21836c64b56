#include "services/backup/wal/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/backup/tool/alive.h"
#include "shared/clock.h"
#include "shared/mem.h"

static const char lock_sql[] = "SELECT pg_try_advisory_lock(hashtext('cairn-backup'), 2)";
static const char slot_sql[] =
    "SELECT CASE WHEN EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1) "
    "THEN '' ELSE (pg_create_physical_replication_slot($1, true)).slot_name END";
static const char look_sql[] =
    "SELECT pg_current_wal_flush_lsn(), coalesce(s.wal_status, ''), "
    "coalesce(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), s.restart_lsn), 0)::bigint, "
    "coalesce(r.write_lsn::text, '') FROM pg_replication_slots s "
    "LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = $1";

/* --- connecting ------------------------------------------------------------------- */

static enum sh_err one_receives(struct watch *watch)
{
    char got[8] = "";
    enum sh_err err = alive_lease(watch->work, watch->conn);

    if (err == SH_OK)
        err = database_value(watch->work, watch->conn, lock_sql, got, sizeof(got));
    if (err == SH_OK && got[0] != 't')
        err = work_fail(watch->work, SH_CONFLICT,
                        "another replica receives the log of this server");
    return err;
}

static enum sh_err know_server(struct watch *watch)
{
    char system[24] = "";
    char size[24] = "";
    char bound[24] = "";
    enum sh_err err = database_value(watch->work, watch->conn,
                                     "SELECT system_identifier FROM pg_control_system()",
                                     system, sizeof(system));

    if (err == SH_OK)
        err = database_value(watch->work, watch->conn,
                             "SELECT setting FROM pg_settings WHERE name = "
                             "'wal_segment_size'",
                             size, sizeof(size));
    if (err == SH_OK)
        err = database_value(watch->work, watch->conn,
                             "SELECT setting FROM pg_settings WHERE name = "
                             "'max_slot_wal_keep_size'",
                             bound, sizeof(bound));
    if (err != SH_OK)
        return err;
    if (watch->system[0] != '\0' && strcmp(watch->system, system) != 0)
        return work_fail(watch->work, SH_INVALID, "it is another server than before");
    (void)snprintf(watch->system, sizeof(watch->system), "%s", system);
    watch->size = strtoull(size, NULL, 10);
    watch->bounded = strcmp(bound, "-1") != 0;
    return segment_size_ok(watch->size)
               ? SH_OK
               : work_fail(watch->work, SH_UPSTREAM, "no size of segments is known");
}

static enum sh_err have_slot(struct watch *watch)
{
    const char *params[] = {watch->work->all->backup.wal_slot};
    PGresult *row = database_ask_with(watch->work, watch->conn, slot_sql, 1, params);
    enum sh_err err = row != NULL ? SH_OK : SH_UPSTREAM;

    PQclear(row);
    return err;
}

enum sh_err watch_connect(struct watch *watch)
{
    enum sh_err err = SH_OK;

    if (watch->conninfo == NULL)
        watch->conninfo = database_conninfo(watch->work);
    if (watch->conninfo == NULL)
        return SH_NOMEM;
    watch->conn = database_open(watch->work, watch->conninfo, NULL);
    if (watch->conn == NULL)
        return SH_UNAVAILABLE;
    err = one_receives(watch);
    if (err == SH_OK)
        err = know_server(watch);
    if (err == SH_OK)
        err = have_slot(watch);
    if (err != SH_OK)
        watch_disconnect(watch);
    return err;
}

void watch_disconnect(struct watch *watch)
{
    PQfinish(watch->conn);
    watch->conn = NULL;
    watch->received = 0;
}

void watch_close(struct watch *watch)
{
    watch_disconnect(watch);
    sh_free(watch->conninfo);
    watch->conninfo = NULL;
}

/* --- looking ---------------------------------------------------------------------- */

static enum sh_err make_anew(struct watch *watch)
{
    const char *params[] = {watch->work->all->backup.wal_slot};
    PGresult *row = database_ask_with(watch->work, watch->conn,
                                      "SELECT pg_drop_replication_slot($1)", 1, params);
    bool dropped = row != NULL;

    PQclear(row);
    return dropped ? have_slot(watch) : SH_UPSTREAM;
}

static void mark(struct watch *watch, double at, uint64_t lsn)
{
    watch->marks[watch->next % WATCH_MARKS].at = at;
    watch->marks[watch->next % WATCH_MARKS].lsn = lsn;
    watch->next++;
}

static void take_row(struct watch *watch, const PGresult *row, double at)
{
    uint64_t lsn = 0;

    if (lsn_parse(PQgetvalue(row, 0, 0), &lsn))
        mark(watch, at, lsn);
    (void)snprintf(watch->status, sizeof(watch->status), "%s", PQgetvalue(row, 0, 1));
    watch->lag = strtoll(PQgetvalue(row, 0, 2), NULL, 10);
    if (!lsn_parse(PQgetvalue(row, 0, 3), &watch->received))
        watch->received = 0;
}

enum sh_err watch_look(struct watch *watch, bool *lost)
{
    const char *params[] = {watch->work->all->backup.wal_slot};
    double at = sh_wall_time(); /* before it is asked: what comes later is not promised */
    PGresult *row = database_ask_with(watch->work, watch->conn, look_sql, 1, params);
    bool there = row != NULL && PQntuples(row) == 1;
    enum sh_err err = SH_OK;

    *lost = false;
    if (there)
        take_row(watch, row, at);
    if (row == NULL)
        err = SH_UNAVAILABLE;
    PQclear(row);
    if (err == SH_OK && there && strcmp(watch->status, "lost") == 0) {
        *lost = true;
        err = make_anew(watch);
    } else if (err == SH_OK && !there) {
        *lost = true;
        err = have_slot(watch);
    }
    return err;
}

double watch_time(const struct watch *watch, uint64_t lsn, double known)
{
    for (unsigned i = 0; i < WATCH_MARKS; i++)
        if (watch->marks[i].at > known && watch->marks[i].lsn <= lsn)
            known = watch->marks[i].at;
    return known;
}
