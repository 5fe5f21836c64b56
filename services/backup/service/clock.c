/* Starts the full sets that BACKUP_SCHEDULE wants. What is due is reckoned from the
 * newest set, so what was missed while nothing ran is made up at once, and replicas that
 * share a directory see what the others did. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/backup/service/backup.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/trace.h"

enum { LOOK_EVERY_MS = 5000, RETRY_S = 60, RETRY_MOST = 6, LATE_S = 3600 };

static struct sh_family next_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_next_timestamp_seconds",
    .help = "When the next full set is due; 0: there is no schedule."};

double clock_next(const struct backup *backup)
{
    double last = backup->latest_full;
    double started = sh_service_started(backup->service);

    if (!backup->scheduled)
        return 0;
    if (last <= 0) /* before the first set nothing was missed */
        last = started;
    return (double)cron_next(&backup->cron, (time_t)last);
}

bool clock_late(const struct backup *backup)
{
    double due = clock_next(backup);

    return due > 0 && sh_wall_time() - due > LATE_S + backup->config.backup.jitter_s;
}

static double jitter(const struct backup *backup)
{
    uint32_t random = 0;

    sh_random((uint8_t *)&random, sizeof(random));
    return backup->config.backup.jitter_s > 0
               ? (double)(random % (backup->config.backup.jitter_s + 1))
               : 0;
}

static void start_one(struct backup *backup, double due)
{
    char slot[32];
    const struct run *run;

    (void)snprintf(slot, sizeof(slot), "%.0f", due);
    const char *const words[] = {"create",   "--kind", "full", "--by",
                                 "schedule", "--slot", slot};
    enum sh_err err = runs_add(backup->runs, words, SH_COUNT(words), "schedule", &run);
    if (err != SH_OK)
        sh_warning(NULL, "a scheduled backup cannot be started now: %s",
                   sh_err_text(err));
}

static void on_timer(uv_timer_t *timer)
{
    struct backup *backup = timer->data;
    double now = sh_wall_time();
    double due = clock_next(backup);

    sh_series_set(sh_series(&next_gauge, NULL), due);
    if (!backup->looked || due <= 0 || due > now || runs_busy(backup->runs, "create"))
        return;
    if (backup->waiting_for != due) { /* a new one: it gets its own delay */
        backup->waiting_for = due;
        backup->not_before = fmax(backup->not_before, now + jitter(backup));
    }
    if (now >= backup->not_before)
        start_one(backup, due);
}

/* After a failure in 1, 2, 4 … 32 minutes; after a success whatever the schedule says. */
void clock_ended(struct backup *backup, const struct run *run)
{
    static const char *const after[] = {"prune"};
    const struct run *pruning;

    if (strcmp(run->by, "schedule") != 0 || strcmp(run->words[0], "create") != 0)
        return;
    if (run->state == RUN_DONE) {
        backup->failures = 0;
        if (runs_add(backup->runs, after, 1, "schedule", &pruning) != SH_OK)
            sh_warning(NULL, "what is not kept is removed after the next backup");
        return;
    }
    backup->not_before =
        sh_wall_time() + RETRY_S * pow(2, backup->failures < RETRY_MOST ? backup->failures
                                                                        : RETRY_MOST - 1);
    backup->failures++;
}

enum sh_err clock_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;
    const struct backup_config *config = &backup->config.backup;
    char fault[128] = "";

    (void)service;
    if (config->timezone[0] != '\0') {
        (void)setenv("TZ", config->timezone, 1);
        tzset();
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
