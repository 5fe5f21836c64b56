/* Starts the full sets that BACKUP_SCHEDULE wants. What is due is reckoned from the
 * newest set, so what was missed while nothing ran is made up at once, and replicas that
 * share a directory see what the others did. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/schedule/zone.h"
#include "services/backup/service/backup.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum { LOOK_EVERY_MS = 1000 };

static struct sh_family next_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_next_timestamp_seconds",
    .help = "When the next full set is due; 0: there is no schedule."};

double clock_next(const struct backup *backup)
{
    return backup->scheduled ? due_next(&backup->cron, backup->latest_full,
                                        sh_service_started(backup->service))
                             : 0;
}

bool clock_late(const struct backup *backup)
{
    return due_late(clock_next(backup), backup->config.backup.jitter_s, sh_wall_time());
}

static enum sh_err start(struct backup *backup, const char *const *words, unsigned count)
{
    const struct run_order order = {
        .words = words, .count = count, .by = "schedule", .regardless = true};

    return runs_add(backup->runs, &order, NULL);
}

static void start_one(struct backup *backup, double due)
{
    char slot[32];

    (void)snprintf(slot, sizeof(slot), "%.0f", due);
    const char *const words[] = {"create",   "--kind", "full", "--by",
                                 "schedule", "--slot", slot,   "--wait"};
    enum sh_err err = start(backup, words, SH_COUNT(words));
    if (err != SH_OK)
        sh_warning(NULL, "a scheduled backup cannot be started now: %s",
                   sh_err_text(err));
}

static void on_timer(uv_timer_t *timer)
{
    struct backup *backup = timer->data;
    double due = clock_next(backup);
    double jitter = due_jitter(backup->replica, due, backup->config.backup.jitter_s);

    if (!backup->looked)
        return;
    sh_series_set(sh_series(&next_gauge, NULL), due);
    if (!runs_busy(backup->runs, "create") &&
        due_now(&backup->due, due, jitter, sh_service_started(backup->service),
                sh_wall_time()))
        start_one(backup, due);
}

void clock_ended(struct backup *backup, const struct run *run)
{
    static const char *const after[] = {"prune", "--wait"};

    if (strcmp(run->by, "schedule") != 0 || strcmp(run->words[0], "create") != 0)
        return;
    if (run->state != RUN_DONE) {
        due_failed(&backup->due, sh_wall_time());
        return;
    }
    due_succeeded(&backup->due);
    backup->looked = false; /* until the set is seen */
    if (start(backup, after, SH_COUNT(after)) != SH_OK)
        sh_warning(NULL, "what is not kept is removed after the next backup");
}

/* The same after each start, and not another replica's. */
static void name_replica(struct backup *backup)
{
    char host[128] = "";

    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(backup->replica, sizeof(backup->replica), "%s %s", host,
                   backup->process.rpc_bind);
}

enum sh_err clock_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;
    const struct backup_config *config = &backup->config.backup;
    char fault[128] = "";

    (void)service;
    name_replica(backup);
    if (zone_use(config->timezone) != SH_OK) {
        sh_error(NULL, "BACKUP_TIMEZONE: there is no time zone %s", config->timezone);
        return SH_INVALID;
    }
    backup->scheduled = config->schedule[0] != '\0';
    if (backup->scheduled &&
        cron_parse(config->schedule, &backup->cron, fault) != SH_OK) {
        sh_error(NULL, "BACKUP_SCHEDULE: %s", fault);
        return SH_INVALID;
    }
    uv_timer_init(backup->loop, &backup->clock_timer); /* cannot fail */
    backup->clock_timer.data = backup;
    uv_timer_start(&backup->clock_timer, on_timer, 0, LOOK_EVERY_MS);
    return SH_OK;
}

void clock_stop(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    (void)service;
    uv_close((uv_handle_t *)&backup->clock_timer, NULL);
}
