/* backup: makes backup sets, proves them, thins them out, brings them back. See
 * README.md. */
#include "services/backup/run/commands.h"
#include "services/backup/service/backup.h"

/* Order matters: a stage may use the ones above it. */
static const struct sh_stage stages[] = {
    {"runs", tell_start, tell_drain, tell_stop, NULL},
    {"schedule", clock_start, NULL, clock_stop, NULL},
    {"wal", wal_start, wal_drain, wal_stop, NULL},
    {"look", look_start, NULL, look_stop, NULL},
    {"waits", waits_start, waits_drain, waits_stop, NULL},
    {"methods", methods_start, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static struct backup backup;
    struct sh_settings settings[BACKUP_GROUPS];
    struct sh_service_spec spec = {
        .name = "backup",
        .summary = "makes, proves, keeps and restores backup sets; `cairn-backup create` "
                   "and others work without the service",
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
