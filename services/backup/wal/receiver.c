#include "services/backup/wal/receiver.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/tool/alive.h"
#include "services/backup/tool/database.h"
#include "shared/clock.h"

enum { RETRY_FIRST_MS = 500, RETRY_MOST_MS = 30000, SETTLED_MS = 10000, DOUBLINGS = 6 };

static void later(struct receiver *receiver)
{
    uint64_t pause = (uint64_t)RETRY_FIRST_MS
                     << (receiver->failures < DOUBLINGS ? receiver->failures : DOUBLINGS);

    receiver->failures++;
    receiver->retry_ms = sh_now_ms() + (pause < RETRY_MOST_MS ? pause : RETRY_MOST_MS);
}

static enum sh_err start(struct receiver *receiver, const char *conninfo,
                         char *const *env, const struct spool *spool)
{
    char program[BACKUP_PATH];
    char own[BACKUP_PATH];
    char alive[ALIVE_OPTION];
    size_t size = sizeof(own);

    if (uv_exepath(own, &size) != 0)
        return SH_IO;
    database_tool(receiver->work, "pg_receivewal", program);
    alive_option(conninfo, false, alive);
    const char *const argv[] = {own,
                                "guarded",
                                program,
                                alive,
                                "--directory",
                                spool->path,
                                "--slot",
                                receiver->work->all->backup.wal_slot,
                                "--status-interval=1",
                                "--no-loop",
                                "--no-password",
                                NULL};
    struct child_spec spec = {.argv = argv,
                              .env = env,
                              .in = -1,
                              .out = -1,
                              .uid = geteuid(),
                              .gid = getegid()};
    return child_start(receiver->work, &spec, &receiver->child);
}

void receiver_keep(struct receiver *receiver, const char *conninfo,
                   const struct spool *spool)
{
    char **env;

    if (receiver->running || sh_now_ms() < receiver->retry_ms)
        return;
    spool_clear_partial(spool);
    env = database_env(receiver->work, conninfo, NULL);
    receiver->running = env != NULL && start(receiver, conninfo, env, spool) == SH_OK;
    database_env_free(env);
    receiver->begun_ms = sh_now_ms();
    receiver->starts++;
    if (!receiver->running)
        later(receiver);
}

static void wait(struct receiver *receiver)
{
    struct work quiet = *receiver->work; /* it will be started again */

    quiet.error[0] = '\0';
    (void)!child_wait(&quiet, &receiver->child, "pg_receivewal");
    (void)snprintf(receiver->error, sizeof(receiver->error), "%.250s", quiet.error);
    receiver->running = false;
}

bool receiver_ended(struct receiver *receiver)
{
    if (!receiver->running || !receiver->child.ended)
        return false;
    wait(receiver);
    if (sh_now_ms() - receiver->begun_ms > SETTLED_MS)
        receiver->failures = 0;
    later(receiver);
    return true;
}

void receiver_stop(struct receiver *receiver)
{
    if (!receiver->running)
        return;
    child_kill(&receiver->child, SIGTERM);
    wait(receiver);
}
