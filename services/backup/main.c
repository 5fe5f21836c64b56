/* backup: which backup sets there are. See README.md. */
#include <stdio.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/run/commands.h"
#include "services/backup/settings.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/rpc_server.h"
#include "shared/service.h"

struct backup {
    struct sh_process_config process;
    struct backup_all config;
    struct sh_health_check *check;
    uv_timer_t timer;
    bool looking;
    bool stopped;
};

enum { LOOK_EVERY_MS = 60000 };

static struct sh_family sets_gauge = {.kind = SH_GAUGE,
                                      .name = "cairn_backup_sets",
                                      .help = "Backup sets by what can be told of them.",
                                      .labels = {"state"}};

/* --- the health check --------------------------------------------------------------- */

static void tell(struct backup *backup, const struct sets *sets)
{
    char detail[256] = "{\"latest_backup\":null,\"backup_count\":0}";
    char when[32];

    if (sets->count > 0) {
        sh_wall_text(sets->list[0].created_at, when);
        (void)snprintf(
            detail, sizeof(detail),
            "{\"latest_backup\":\"%s\",\"age_hours\":%.2f,\"backup_count\":%zu}", when,
            (sh_wall_time() - sets->list[0].created_at) / 3600, sets->count);
    }
    if (sets->unreadable > 0)
        sh_health_set(backup->check, SH_DEGRADED, -1,
                      "a backup set has no usable manifest", detail);
    else
        sh_health_set(backup->check, SH_HEALTHY, -1, "", detail);
    sh_series_set(sh_series(&sets_gauge, (const char *[]){"readable"}),
                  (double)sets->count);
    sh_series_set(sh_series(&sets_gauge, (const char *[]){"unreadable"}),
                  (double)sets->unreadable);
}

static void on_looked(void *arg, enum sh_err err, const struct sets *sets)
{
    struct backup *backup = arg;

    backup->looking = false;
    if (backup->stopped)
        return;
    if (err == SH_OK)
        tell(backup, sets);
    else
        sh_health_set(backup->check, SH_UNHEALTHY, -1,
                      "the backup directory cannot be read", NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct backup *backup = timer->data;

    if (!backup->looking)
        backup->looking = sets_read_later(timer->loop, backup->config.backup.directory,
                                          on_looked, backup) == SH_OK;
}

static enum sh_err start_look(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    backup->check = sh_health_add(sh_service_health(service), "backups", false);
    if (backup->check == NULL)
        return SH_NOMEM;
    uv_timer_init(sh_service_loop(service), &backup->timer); /* cannot fail */
    backup->timer.data = backup;
    uv_timer_start(&backup->timer, on_timer, 0, LOOK_EVERY_MS);
    return SH_OK;
}

static void stop_look(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    (void)service;
    backup->stopped = true;
    uv_close((uv_handle_t *)&backup->timer, NULL);
}

/* --- METHOD_BACKUP_LIST ------------------------------------------------------------- */

static void on_list(void *arg, enum sh_err err, const struct sets *sets)
{
    struct sh_rpc_call *call = arg;
    struct backup_list_reply reply = {.sets = sets->list, .sets_count = sets->count};

    if (err == SH_OK)
        sh_rpc_reply(call, backup_list_reply_desc(), &reply);
    else
        sh_rpc_fail(call, err, NULL, NULL, "the backup directory cannot be read");
}

static void handle_list(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    enum sh_err err = sets_read_later(backup->timer.loop, backup->config.backup.directory,
                                      on_list, call);

    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

static enum sh_err start_methods(struct sh_service *service, void *self)
{
    return sh_rpc_server_add(sh_service_rpc(service), METHOD_BACKUP_LIST, "backup.list",
                             0, handle_list, self);
}

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"look", start_look, NULL, stop_look, NULL},
    {"methods", start_methods, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static struct backup backup;
    struct sh_settings settings[BACKUP_GROUPS];
    struct sh_service_spec spec = {
        .name = "backup",
        .summary = "which backup sets there are",
        .process = &backup.process,
        .settings = settings,
        .settings_count = SH_COUNT(settings),
        .stages = stages,
        .stage_count = SH_COUNT(stages),
        .rpc = true,
        .ops_port = "9104",
        .rpc_bind = "tcp://127.0.0.1:5604",
        .rpc_callers = "gateway",
        .self = &backup,
    };
    int status;

    if (commands_run(argc, argv, &status))
        return status;
    backup_groups(&backup.config, settings);
    return sh_service_main(argc, argv, &spec);
}
