#include "services/backup/restore/swap.h"

#include <stdio.h>
#include <string.h>

#include "services/backup/run/root.h"
#include "shared/mem.h"

/* The comment of a database says what it is: where to go back to is written in the server
 * itself, in the transaction of the swap. */
enum { SESSIONS_TURNS = 1500, SESSIONS_MS = 20, HALVES_TURNS = 250 };

static const char mark[] = "cairn-backup: before the last restore of ";
static const char gone[] = "cairn-backup: not needed any more: before a restore of ";
static const char of_set[] = "; set "; /* then the id; older marks have none */
static const char turned[] = "_u";     /* ends the name of what an undo took away */

/* --- statements ------------------------------------------------------------------- */

/* `format` with up to two names, quoted. */
static enum sh_err run(struct work *work, struct swap *swap, const char *format,
                       const char *one, const char *two)
{
    char *first = PQescapeIdentifier(swap->conn, one, strlen(one));
    char *second = PQescapeIdentifier(swap->conn, two ? two : "", two ? strlen(two) : 0);
    struct sh_buffer sql = {0};
    enum sh_err err = SH_NOMEM;

    if (first != NULL && second != NULL) {
        for (const char *c = format; *c; c++)
            if (*c == '1')
                sh_buffer_text(&sql, first);
            else if (*c == '2')
                sh_buffer_text(&sql, second);
            else
                sh_buffer_append(&sql, c, 1);
        sh_buffer_append(&sql, "", 1);
        err = sql.err == SH_OK ? database_do(work, swap->conn, sql.data) : SH_NOMEM;
    }
    sh_buffer_free(&sql);
    PQfreemem(first);
    PQfreemem(second);
    return err;
}

static enum sh_err exists(struct work *work, struct swap *swap, const char *name,
                          bool *out)
{
    const char *params[] = {name};
    PGresult *rows = database_ask_with(
        work, swap->conn, "SELECT FROM pg_database WHERE datname = $1", 1, params);

    *out = rows != NULL && PQntuples(rows) > 0;
    PQclear(rows);
    return rows != NULL ? SH_OK : SH_UPSTREAM;
}

/* Returns when they have ended, but for that of `but` (0: none). */
static enum sh_err end_sessions(struct work *work, struct swap *swap, const char *name,
                                int but)
{
    char pid[16];
    const char *params[] = {name, pid};
    int left = 1;

    (void)snprintf(pid, sizeof(pid), "%d", but);
    for (int i = 0; left > 0 && i < SESSIONS_TURNS; i++) {
        PGresult *rows =
            database_ask_with(work, swap->conn,
                              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                              "WHERE datname = $1 AND pid <> $2::int",
                              2, params);
        if (rows == NULL)
            return SH_UPSTREAM;
        left = PQntuples(rows);
        PQclear(rows);
        if (left > 0)
            work_pause(SESSIONS_MS);
    }
    return left == 0
               ? SH_OK
               : work_fail(work, SH_TIMEOUT, "%s has sessions that do not end", name);
}

/* --- opening ---------------------------------------------------------------------- */

static enum sh_err name_of(struct work *work, struct swap *swap)
{
    PQconninfoOption *options = PQconninfoParse(swap->conninfo, NULL);

    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL)
            (void)snprintf(swap->name, sizeof(swap->name), "%s", o->val);
    PQconninfoFree(options);
    if (swap->name[0] == '\0')
        return work_fail(work, SH_INVALID, "DATABASE_URL names no database");
    return SH_OK;
}

enum sh_err swap_open(struct work *work, struct swap *swap)
{
    enum sh_err err;

    *swap = (struct swap){.conninfo = database_conninfo(work)};
    err = swap->conninfo ? name_of(work, swap) : SH_NOMEM;
    if (err == SH_OK) {
        swap->conn =
            database_open(work, swap->conninfo,
                          strcmp(swap->name, "postgres") == 0 ? "template1" : "postgres");
        err = swap->conn != NULL ? SH_OK : SH_UNAVAILABLE;
    }
    return err == SH_OK ? exists(work, swap, swap->name, &swap->there) : err;
}

void swap_close(struct swap *swap)
{
    hold_let_go(&swap->hold);
    PQfinish(swap->conn);
    sh_free(swap->conninfo);
    *swap = (struct swap){0};
}

enum sh_err swap_create(struct work *work, struct swap *swap, const char *name)
{
    bool there = false;
    enum sh_err err = exists(work, swap, name, &there);

    if (err == SH_OK && there)
        err = work_fail(work, SH_CONFLICT, "there is a database %s already", name);
    if (err == SH_OK)
        err = run(work, swap, "CREATE DATABASE 1 TEMPLATE template0 ENCODING 'UTF8'",
                  name, NULL);
    return err;
}

enum sh_err swap_open_door(struct work *work, struct swap *swap)
{
    return run(work, swap, "ALTER DATABASE 1 ALLOW_CONNECTIONS true", swap->name, NULL);
}

void swap_drop(struct work *work, struct swap *swap, const char *name)
{
    struct work quiet = *work;

    if (run(&quiet, swap, "DROP DATABASE IF EXISTS 1 WITH (FORCE)", name, NULL) != SH_OK)
        work_say(work, "the database %s is left behind: %s", name, quiet.error);
}

/* --- swapping --------------------------------------------------------------------- */

/* Names of databases, and of which sets: "" where it is not known. */
static PGresult *ask_marked(struct work *work, struct swap *swap, const char *as)
{
    char comment[160];
    const char *params[] = {comment, of_set};

    (void)snprintf(comment, sizeof(comment), "%s%s", as, swap->name);
    return database_ask_with(
        work, swap->conn,
        "SELECT datname, substr(said, length($1) + length($2) + 1) FROM "
        "(SELECT oid, datname, shobj_description(oid, 'pg_database') said "
        "FROM pg_database) d WHERE said = $1 OR starts_with(said, $1 || $2) "
        "ORDER BY oid DESC",
        2, params);
}

static bool is_turned(const char *name)
{
    size_t len = strlen(name);
    size_t end = sizeof(turned) - 1;

    return len > end && strcmp(name + len - end, turned) == 0;
}

enum sh_err swap_find(struct work *work, struct swap *swap, struct swap_previous *out)
{
    PGresult *rows = ask_marked(work, swap, mark);

    *out = (struct swap_previous){.redo = false};
    if (rows != NULL && PQntuples(rows) > 0) {
        (void)snprintf(out->name, sizeof(out->name), "%s", PQgetvalue(rows, 0, 0));
        (void)snprintf(out->set, sizeof(out->set), "%s", PQgetvalue(rows, 0, 1));
        out->redo = is_turned(out->name);
    }
    PQclear(rows);
    return rows != NULL ? SH_OK : SH_UPSTREAM;
}

static void drop_marked(struct work *work, struct swap *swap)
{
    PGresult *rows = ask_marked(work, swap, gone);

    for (int i = 0; rows != NULL && i < PQntuples(rows); i++)
        swap_drop(work, swap, PQgetvalue(rows, i, 0));
    PQclear(rows);
}

/* Databases that a restore fills: their names, and "t" while somebody is in there. */
static PGresult *ask_halves(struct work *work, struct swap *swap)
{
    char prefix[64];
    const char *params[] = {prefix};

    (void)snprintf(prefix, sizeof(prefix), "%.30s_new_", swap->name);
    return database_ask_with(
        work, swap->conn,
        "SELECT datname, EXISTS "
        "(SELECT FROM pg_stat_activity a WHERE a.datname = d.datname) "
        "FROM pg_database d WHERE starts_with(datname, $1) AND "
        "length(datname) = length($1) + 14",
        1, params);
}

static bool is_filled(const PGresult *halves, int row)
{
    return PQgetvalue(halves, row, 1)[0] == 't';
}

void swap_await_halves(struct work *work, struct swap *swap)
{
    int filled = 1;

    for (int i = 0; filled > 0 && i < HALVES_TURNS; i++) {
        PGresult *halves = ask_halves(work, swap);
        filled = 0;
        for (int row = 0; halves != NULL && row < PQntuples(halves); row++)
            filled += is_filled(halves, row);
        PQclear(halves);
        if (filled > 0)
            work_pause(SESSIONS_MS);
    }
}

enum sh_err swap_drop_halves(struct work *work, struct swap *swap)
{
    PGresult *halves = ask_halves(work, swap);
    enum sh_err err = halves != NULL ? SH_OK : SH_UPSTREAM;

    for (int row = 0; halves != NULL && row < PQntuples(halves); row++)
        if (is_filled(halves, row))
            err = work_fail(work, SH_BUSY, "the database %s is being filled",
                            PQgetvalue(halves, row, 0));
        else
            swap_drop(work, swap, PQgetvalue(halves, row, 0));
    PQclear(halves);
    drop_marked(work, swap);
    return err;
}

/* `as` NULL: no comment. */
static enum sh_err comment_on(struct work *work, struct swap *swap, const char *name,
                              const char *as)
{
    char comment[256];
    bool known = swap->set[0] != '\0';
    struct sh_buffer sql = {0};
    enum sh_err err;

    (void)snprintf(comment, sizeof(comment), "%s%s%s%s", as ? as : "", swap->name,
                   known ? of_set : "", swap->set);
    char *text = PQescapeLiteral(swap->conn, comment, strlen(comment));
    char *whom = PQescapeIdentifier(swap->conn, name, strlen(name));
    sh_buffer_printf(&sql, "COMMENT ON DATABASE %s IS %s", whom ? whom : "",
                     as && text ? text : "NULL");
    sh_buffer_append(&sql, "", 1);
    err = sql.err == SH_OK && text && whom ? database_do(work, swap->conn, sql.data)
                                           : SH_NOMEM;
    PQfreemem(text);
    PQfreemem(whom);
    sh_buffer_free(&sql);
    return err;
}

/* Both take connections again in the same transaction. `unneeded`: "" or what may be
 * dropped from then on. */
static enum sh_err rename_both(struct work *work, struct swap *swap, const char *beside,
                               const char *previous, const char *unneeded)
{
    enum sh_err err = database_do(work, swap->conn, "BEGIN");

    if (err == SH_OK && unneeded[0] != '\0')
        err = comment_on(work, swap, unneeded, gone);
    if (err == SH_OK && swap->there)
        err = run(work, swap, "ALTER DATABASE 1 RENAME TO 2", swap->name, previous);
    if (err == SH_OK && swap->there)
        err = comment_on(work, swap, previous, mark);
    if (err == SH_OK && swap->there)
        err = run(work, swap, "ALTER DATABASE 1 ALLOW_CONNECTIONS true", previous, NULL);
    if (err == SH_OK)
        err = run(work, swap, "ALTER DATABASE 1 RENAME TO 2", beside, swap->name);
    if (err == SH_OK)
        err = comment_on(work, swap, swap->name, NULL);
    if (err == SH_OK)
        err = swap_open_door(work, swap);
    if (err == SH_OK)
        return database_do(work, swap->conn, "COMMIT");
    PQclear(PQexec(swap->conn, "ROLLBACK"));
    return err;
}

static enum sh_err swap_names(struct work *work, struct swap *swap, const char *beside,
                              const char *previous, const char *unneeded)
{
    enum sh_err err = SH_OK;

    work_stage(work, "swap");
    if (swap->there) { /* nobody comes in meanwhile, and who is in goes */
        err =
            run(work, swap, "ALTER DATABASE 1 ALLOW_CONNECTIONS false", swap->name, NULL);
        if (err == SH_OK) /* those who wait for our locks must not get them */
            err = end_sessions(work, swap, swap->name, hold_pid(&swap->hold));
        hold_let_go(&swap->hold);
        if (err == SH_OK)
            err = end_sessions(work, swap, swap->name, 0);
    }
    if (err == SH_OK)
        err = end_sessions(work, swap, beside, 0);
    if (err == SH_OK)
        err = rename_both(work, swap, beside, previous, unneeded);
    if (err != SH_OK && swap->there && swap_open_door(work, swap) != SH_OK)
        work_say(work, "the database %s takes no connections until the next run",
                 swap->name);
    return err;
}

enum sh_err swap_in(struct work *work, struct swap *swap, const char *beside,
                    const char *previous)
{
    struct swap_previous earlier;
    enum sh_err err = swap_find(work, swap, &earlier);

    if (err == SH_OK)
        err = swap_names(work, swap, beside, previous, earlier.name);
    if (err != SH_OK)
        swap_drop(work, swap, beside);
    else
        drop_marked(work, swap);
    return err;
}

static enum sh_err none_such(struct work *work, const struct swap_previous *back)
{
    return work_fail(work, SH_NOTFOUND, "%s",
                     back->name[0] == '\0' ? "there is nothing to go back to"
                     : back->redo
                         ? "the last restore is undone already; redo brings it back"
                         : "no restore was undone: there is nothing to bring back");
}

enum sh_err swap_find_back(struct work *work, struct swap *swap, bool redo,
                           struct swap_previous *out)
{
    enum sh_err err = swap_find(work, swap, out);

    if (err == SH_OK && (out->name[0] == '\0' || out->redo != redo))
        err = none_such(work, out);
    return err;
}

enum sh_err swap_back(struct work *work, struct swap *swap, bool redo,
                      struct swap_previous *out)
{
    struct swap_previous back;
    char aside[64];
    enum sh_err err = swap_find_back(work, swap, redo, &back);

    *out = back;
    if (err != SH_OK)
        return err;
    size_t len = strlen(back.name) - (redo ? sizeof(turned) - 1 : 0);
    (void)snprintf(aside, sizeof(aside), "%.*s%s", (int)len, back.name,
                   redo ? "" : turned);
    memcpy(swap->set, back.set, sizeof(back.set));
    err = swap_names(work, swap, back.name, aside, "");
    if (err == SH_OK)
        memcpy(out->name, aside, sizeof(aside));
    return err;
}
