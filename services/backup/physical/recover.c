#include "services/backup/physical/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/tool/database.h"

enum { DAY_MS = 86400000 };

static const char *about(const struct tree *tree, const char *member)
{
    const char *text = json_string_value(
        json_object_get(json_object_get(tree->manifest, "database"), member));

    return text != NULL ? text : "";
}

/* --- how far the stored log goes -------------------------------------------------- */

static enum sh_err tell_missing(const struct tree *tree, const struct chain *chain)
{
    char through[LSN_TEXT];

    lsn_text(chain->through, through);
    return work_fail(tree->work, SH_MALFORMED,
                     "%llu segments of the log are missing, the first is %s: recovery "
                     "can go to %s, and no farther",
                     (unsigned long long)chain->missing, chain->first_missing,
                     chain->through > 0 ? through : "the set's own end");
}

static enum sh_err reaches_position(const struct tree *tree, const struct chain *chain,
                                    uint64_t lsn)
{
    char through[LSN_TEXT];
    uint64_t end;

    if (!lsn_parse(about(tree, "wal_end"), &end))
        return work_fail(tree->work, SH_MALFORMED,
                         "the manifest does not say where the "
                         "set ends");
    if (lsn < end)
        return work_fail(tree->work, SH_INVALID,
                         "the set ends at %s: an older one is needed to go back farther",
                         about(tree, "wal_end"));
    if (lsn < chain->through)
        return SH_OK;
    if (chain->missing > 0)
        return tell_missing(tree, chain);
    lsn_text(chain->through > end ? chain->through : end, through);
    return work_fail(tree->work, SH_NOTFOUND, "the stored log ends at %s", through);
}

/* Whether it is stored is seen by recovering; that it was before the set is seen here. */
static enum sh_err reaches_time(const struct tree *tree, double at)
{
    const char *began = json_string_value(json_object_get(tree->manifest, "created_at"));
    struct until set;

    if (began == NULL || until_parse(began, &set) != SH_OK || set.kind != UNTIL_TIME ||
        at >= set.at)
        return SH_OK;
    return work_fail(tree->work, SH_INVALID,
                     "the set was begun at %s: an older one is needed to go back farther",
                     began);
}

enum sh_err recover_reaches(const struct tree *tree, const struct chain *chain,
                            const struct until *until)
{
    if (until->kind == UNTIL_POSITION)
        return reaches_position(tree, chain, until->lsn);
    if (until->kind == UNTIL_TIME)
        return reaches_time(tree, until->at);
    if (until->kind == UNTIL_LATEST && chain->missing > 0)
        return tell_missing(tree, chain);
    return SH_OK;
}

/* --- the server ------------------------------------------------------------------- */

static enum sh_err write_config(const struct tree *tree, const struct scratch *scratch,
                                const char *name, const char *text)
{
    char path[BACKUP_PATH];
    size_t len = strlen(text);

    (void)snprintf(path, sizeof(path), "%.1000s/%s", scratch->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len &&
                (geteuid() != 0 || fchown(fd, scratch->uid, scratch->gid) == 0);
    if (fd >= 0)
        (void)close(fd);
    return good ? SH_OK
                : work_fail(tree->work, SH_IO, "%.200s: %s", path, strerror(errno));
}

/* The files that a server reads, all of them ours. */
static enum sh_err write_configs(const struct tree *tree, const struct scratch *scratch,
                                 const struct until *until, bool keep)
{
    static const char *const targets[] = {
        [UNTIL_SET] = "recovery_target = 'immediate'",
        [UNTIL_LATEST] = "",
        [UNTIL_POSITION] = "recovery_target_inclusive = off\nrecovery_target_lsn",
        [UNTIL_TIME] = "recovery_target_time",
    };
    char text[1024];
    char target[128];

    if (until->text[0] != '\0')
        (void)snprintf(target, sizeof(target), "%s = '%s'", targets[until->kind],
                       until->text);
    else
        (void)snprintf(target, sizeof(target), "%s", targets[until->kind]);
    (void)snprintf(text, sizeof(text),
                   "recovery_target_timeline = 'latest'\n"
                   "recovery_target_action = 'promote'\n"
                   "timezone = 'UTC'\n"
                   "fsync = %s\n"
                   "%s\n",
                   keep ? "on" : "off", target);
    enum sh_err err = write_config(tree, scratch, "postgresql.conf", text);
    if (err == SH_OK) /* the folder is its owner's alone */
        err = write_config(tree, scratch, "pg_hba.conf", "local all all trust\n");
    return err == SH_OK ? write_config(tree, scratch, "pg_ident.conf", "") : err;
}

static enum sh_err start_server(const struct tree *tree, struct scratch *scratch)
{
    char program[BACKUP_PATH];
    char data[BACKUP_PATH];
    char settings[4][BACKUP_PATH];

    tree_tool(tree, "postgres", program);
    (void)snprintf(data, sizeof(data), "%.1000s/data", scratch->folder);
    (void)snprintf(settings[0], BACKUP_PATH, "config_file=%.1000s/postgresql.conf",
                   scratch->folder);
    (void)snprintf(settings[1], BACKUP_PATH, "hba_file=%.1000s/pg_hba.conf",
                   scratch->folder);
    (void)snprintf(settings[2], BACKUP_PATH, "ident_file=%.1000s/pg_ident.conf",
                   scratch->folder);
    (void)snprintf(settings[3], BACKUP_PATH, "unix_socket_directories=%.1000s",
                   scratch->folder);
    /* on the command line: what postgresql.auto.conf in the data directory cannot undo */
    /* clang-format off */
    const char *const argv[] = {
        program, "-D", data, "-c", settings[0], "-c", settings[1], "-c", settings[2],
        "-c", settings[3], "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700",
        "-c", "hot_standby=off", "-c", "restore_command=/bin/false",
        "-c", "shared_preload_libraries=", "-c", "archive_mode=off", "-c", "ssl=off",
        "-c", "synchronous_standby_names=", "-c", "primary_conninfo=",
        "-c", "primary_slot_name=", "-c", "autovacuum=off", "-c", "shared_buffers=64MB",
        "-c", "jit=off", "-c", "logging_collector=off", "-c", "log_destination=stderr",
        "-c", "log_min_messages=fatal", "-c", "external_pid_file=",
        "-c", "huge_pages=off", "-c", "event_source=PostgreSQL", NULL};
    /* clang-format on */
    struct child_spec spec = {
        .argv = argv, .in = -1, .out = -1, .uid = scratch->uid, .gid = scratch->gid};
    enum sh_err err = child_start(tree->work, &spec, &scratch->server);

    scratch->started = err == SH_OK;
    return err;
}

void recover_conninfo(const struct tree *tree, const struct scratch *scratch,
                      char out[static BACKUP_PATH])
{
    (void)snprintf(out, BACKUP_PATH, "host=%.1000s user='%.63s' dbname='%.63s'",
                   scratch->folder, about(tree, "role"), about(tree, "name"));
}

static enum sh_err run(const struct tree *tree, const struct until *until, bool keep,
                       struct scratch *scratch)
{
    char conninfo[BACKUP_PATH];
    enum sh_err err = write_configs(tree, scratch, until, keep);

    recover_conninfo(tree, scratch, conninfo);
    if (err == SH_OK)
        err = start_server(tree, scratch);
    return err == SH_OK ? scratch_await(tree->work, scratch, conninfo, DAY_MS) : err;
}

/* It replayed all there is and met nothing as late as that. */
static bool ended_before(const struct scratch *scratch)
{
    return strstr(scratch->server.words, "recovery ended before configured recovery") !=
           NULL;
}

static enum sh_err wait_end(const struct tree *tree, struct scratch *scratch)
{
    struct work quiet = *tree->work; /* how it ended is known */

    if (child_wait(&quiet, &scratch->server, "postgres") == SH_OK)
        scratch->started = false;
    scratch->started = false;
    return work_go_on(tree->work);
}

enum sh_err recover_start(const struct tree *tree, const struct chain *chain,
                          const struct until *until, bool keep, struct scratch *scratch)
{
    static const struct until latest = {.kind = UNTIL_LATEST};
    char through[LSN_TEXT];
    enum sh_err err;

    work_stage(tree->work, "recover");
    err = run(tree, until, keep, scratch);
    if (err != SH_UPSTREAM || !ended_before(scratch))
        return err;
    err = wait_end(tree, scratch);
    if (err != SH_OK)
        return err;
    tree->work->error[0] = '\0';
    /* all that was committed before that time is there; nothing was later */
    if (until->kind == UNTIL_TIME && chain->missing == 0 && chain->at >= until->at)
        return run(tree, &latest, keep, scratch);
    if (chain->missing > 0)
        return tell_missing(tree, chain);
    lsn_text(chain->through, through);
    return work_fail(tree->work, SH_NOTFOUND, "the stored log ends at %s, before %s",
                     chain->through > 0 ? through : about(tree, "wal_end"), until->text);
}

enum sh_err recover_stop(const struct tree *tree, struct scratch *scratch)
{
    struct work quiet = *tree->work;
    enum sh_err err;

    child_kill(&scratch->server, SIGINT); /* "fast": all is written */
    err = child_wait(&quiet, &scratch->server, "postgres");
    scratch->started = false;
    return err == SH_OK ? SH_OK : work_fail(tree->work, err, "%s", quiet.error);
}

/* --- what came of it -------------------------------------------------------------- */

enum sh_err recover_told(const struct tree *tree, PGconn *conn, const struct until *until,
                         json_t **out)
{
    static const char *const kinds[] = {"set", "latest", "", ""};
    PGresult *row = database_ask(
        tree->work, conn,
        "SELECT coalesce(pg_last_wal_replay_lsn()::text, ''), "
        "coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), ''), timeline_id "
        "FROM pg_control_checkpoint()");

    *out = NULL;
    if (row == NULL)
        return SH_UPSTREAM;
    if (PQntuples(row) == 1)
        *out = json_pack("{s:s, s:s, s:s, s:s}", "until",
                         until->text[0] != '\0' ? until->text : kinds[until->kind],
                         "position", PQgetvalue(row, 0, 0), "last_commit",
                         PQgetvalue(row, 0, 1), "timeline", PQgetvalue(row, 0, 2));
    PQclear(row);
    return *out != NULL ? SH_OK : SH_UPSTREAM;
}
