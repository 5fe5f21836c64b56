#include "services/backup/scratch/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/scratch/sweep.h"
#include "services/backup/tool/database.h"
#include "shared/clock.h"

enum { START_MS = 60000, PAUSE_NS = 20000000 };

/* Who runs a PostgreSQL here: BACKUP_PG_USER where we are root. SH_INVALID. */
static enum sh_err scratch_user(struct work *work, uid_t *uid, gid_t *gid)
{
    const char *name = work->all->backup.pg_user;
    const struct passwd *user;

    *uid = geteuid();
    *gid = getegid();
    if (*uid != 0)
        return SH_OK;
    user = getpwnam(name);
    if (user == NULL || user->pw_uid == 0)
        return work_fail(work, SH_INVALID,
                         "BACKUP_PG_USER %s: no such user without root's rights", name);
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return SH_OK;
}

static enum sh_err make_folder(struct work *work, struct scratch *scratch)
{
    char path[BACKUP_PATH];

    (void)snprintf(path, sizeof(path), "%.64s/%sXXXXXX", work->all->backup.scratch_dir,
                   SCRATCH_PREFIX);
    if (mkdtemp(path) == NULL)
        return work_fail(work, SH_IO, "BACKUP_SCRATCH_DIR: %s", strerror(errno));
    (void)snprintf(scratch->folder, sizeof(scratch->folder), "%s", path);
    (void)snprintf(path, sizeof(path), "%.1000s/lock", scratch->folder);
    scratch->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (scratch->lock < 0 || flock(scratch->lock, LOCK_EX | LOCK_NB) != 0 ||
        chown(scratch->folder, scratch->uid, scratch->gid) != 0)
        return work_fail(work, SH_IO, "%s: %s", scratch->folder, strerror(errno));
    return SH_OK;
}

static enum sh_err make_cluster(struct work *work, struct scratch *scratch)
{
    char program[BACKUP_PATH];
    char data[BACKUP_PATH];

    database_tool(work, "initdb", program);
    (void)snprintf(data, sizeof(data), "%.1000s/data", scratch->folder);
    const char *const argv[] = {
        program,           "--pgdata",         data,        "--username=drill",
        "--auth=trust", /* the folder is its owner's alone */
        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", NULL};
    struct child_spec spec = {
        .argv = argv, .in = -1, .out = -1, .uid = scratch->uid, .gid = scratch->gid};
    return child_run(work, &spec);
}

static enum sh_err start_server(struct work *work, struct scratch *scratch)
{
    char program[BACKUP_PATH];
    char data[BACKUP_PATH];
    char sockets[BACKUP_PATH];

    database_tool(work, "postgres", program);
    (void)snprintf(data, sizeof(data), "%.1000s/data", scratch->folder);
    (void)snprintf(sockets, sizeof(sockets), "unix_socket_directories=%.1000s",
                   scratch->folder);
    /* clang-format off */
    const char *const argv[] = {
        program, "-D", data, "-c", "listen_addresses=", "-c", sockets,
        "-c", "unix_socket_permissions=0700", "-c", "fsync=off",
        "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
        "-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "autovacuum=off",
        "-c", "shared_buffers=64MB", "-c", "maintenance_work_mem=128MB",
        "-c", "max_wal_size=4GB", "-c", "jit=off", "-c", "logging_collector=off",
        "-c", "log_min_messages=fatal", NULL};
    /* clang-format on */
    struct child_spec spec = {
        .argv = argv, .in = -1, .out = -1, .uid = scratch->uid, .gid = scratch->gid};
    enum sh_err err = child_start(work, &spec, &scratch->server);

    scratch->started = err == SH_OK;
    return err;
}

static void to_database(const struct scratch *scratch, const char *name,
                        char out[static BACKUP_PATH])
{
    (void)snprintf(out, BACKUP_PATH, "host=%.1000s user=drill dbname=%s", scratch->folder,
                   name);
}

enum sh_err scratch_await(struct work *work, struct scratch *scratch,
                          const char *conninfo, uint64_t most_ms)
{
    const struct timespec pause = {0, PAUSE_NS};
    uint64_t begun_ms = sh_now_ms();
    enum sh_err err = SH_OK;

    while (err == SH_OK && PQping(conninfo) != PQPING_OK) {
        child_turn(work);
        err = work_go_on(work);
        if (err == SH_OK && scratch->server.ended)
            err = work_fail(work, SH_UPSTREAM, "the scratch PostgreSQL: %.400s",
                            scratch->server.words);
        if (err == SH_OK && sh_now_ms() - begun_ms > most_ms)
            err = work_fail(work, SH_TIMEOUT, "the scratch PostgreSQL does not answer");
        (void)nanosleep(&pause, NULL); /* it is asked again at once when woken */
    }
    return err;
}

static enum sh_err make_database(struct work *work, const struct scratch *scratch)
{
    char conninfo[BACKUP_PATH];

    to_database(scratch, "postgres", conninfo);
    PGconn *conn = database_open(work, conninfo, NULL);
    if (conn == NULL)
        return SH_UPSTREAM;
    enum sh_err err = database_do(work, conn, "CREATE DATABASE drill");
    PQfinish(conn);
    return err;
}

static enum sh_err look_for_room(struct work *work, uint64_t wanted)
{
    struct statvfs disk;

    if (wanted == 0)
        return SH_OK;
    if (statvfs(work->all->backup.scratch_dir, &disk) != 0)
        return work_fail(work, SH_IO, "BACKUP_SCRATCH_DIR: %s", strerror(errno));
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    wanted += (uint64_t)work->all->backup.free_mb << 20;
    if (room >= wanted)
        return SH_OK;
    return work_fail(
        work, SH_BUSY, "BACKUP_SCRATCH_DIR is short: %llu MB free, %llu are needed",
        (unsigned long long)(room >> 20), (unsigned long long)(wanted >> 20));
}

enum sh_err scratch_begin(struct work *work, uint64_t wanted, struct scratch *scratch)
{
    enum sh_err err;

    *scratch = (struct scratch){.lock = -1};
    err = look_for_room(work, wanted);
    if (err == SH_OK)
        err = scratch_user(work, &scratch->uid, &scratch->gid);
    return err == SH_OK ? make_folder(work, scratch) : err;
}

enum sh_err scratch_open(struct work *work, struct scratch *scratch)
{
    char conninfo[BACKUP_PATH];
    enum sh_err err = scratch_begin(work, 0, scratch);

    to_database(scratch, "postgres", conninfo);
    if (err == SH_OK)
        err = make_cluster(work, scratch);
    if (err == SH_OK)
        err = start_server(work, scratch);
    if (err == SH_OK)
        err = scratch_await(work, scratch, conninfo, START_MS);
    return err == SH_OK ? make_database(work, scratch) : err;
}

void scratch_conninfo(const struct scratch *scratch, char out[static BACKUP_PATH])
{
    to_database(scratch, "drill", out);
}

void scratch_close(struct work *work, struct scratch *scratch)
{
    struct work quiet = *work; /* that it was told to end is no error of the run */

    if (scratch->started) {
        child_kill(&scratch->server, SIGQUIT); /* at once */
        if (child_wait(&quiet, &scratch->server, "postgres") != SH_OK)
            scratch->started = false;
    }
    if (scratch->folder[0] != '\0')
        scratch_remove(scratch->folder);
    if (scratch->lock >= 0)
        (void)close(scratch->lock);
    *scratch = (struct scratch){.lock = -1};
}
