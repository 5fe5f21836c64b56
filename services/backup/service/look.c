/* Which sets there are, at the start, once a minute and after each run: the health check
 * and gauges; and whether a restore was killed, which leaves something to repair. */
#include <stdio.h>
#include <sys/statvfs.h>

#include "services/backup/restore/journal.h"
#include "services/backup/service/backup.h"
#include "services/backup/service/complaint.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum { LOOK_EVERY_MS = 60000 };

static struct sh_family sets_gauge = {.kind = SH_GAUGE,
                                      .name = "cairn_backup_sets",
                                      .help = "Backup sets by what can be told of them.",
                                      .labels = {"state"}};
static struct sh_family success_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_last_success_timestamp_seconds",
    .help = "When the newest set of a kind was made.",
    .labels = {"kind"}};
static struct sh_family size_gauge = {.kind = SH_GAUGE,
                                      .name = "cairn_backup_size_bytes",
                                      .help = "Size of the newest set of a kind.",
                                      .labels = {"kind"}};
static struct sh_family verified_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_last_verified_restore_timestamp_seconds",
    .help = "When the newest full set that was restored to prove it was made."};
static struct sh_family rpo_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_rpo_seconds",
    .help = "What would be lost now: since the recovery point of the stored log, or the "
            "newest full set."};

void look_at_risk(double seconds)
{
    sh_series_set(sh_series(&rpo_gauge, NULL), seconds);
}

static uint64_t free_mb(const char *directory)
{
    struct statvfs disk;

    return statvfs(directory, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize >> 20
                                          : UINT64_MAX; /* there is none yet */
}

static const char *complaint(const struct backup *backup, const struct sets *sets)
{
    struct set_facts facts = {.unreadable = sets->unreadable,
                              .late = clock_late(backup),
                              .unproven = backup->latest_unproven,
                              .busy = runs_busy(backup->runs, NULL),
                              .free_mb = free_mb(backup->config.backup.directory),
                              .wanted_mb = backup->config.backup.free_mb};

    return complaint_sets(&facts, wal_complaint(backup));
}

static void learn(struct backup *backup, const struct sets *sets)
{
    bool proves = strcmp(backup->config.backup.proof, "none") != 0;

    backup->latest_full = backup->latest_verified = backup->latest_physical = 0;
    backup->latest_unproven = proves && sets_unproven(sets);
    for (size_t i = sets->count; i-- > 0;) { /* the newest comes last */
        const struct backup_set *set = &sets->list[i];
        const char *kind = sh_bytes_is(set->kind, "full")       ? "full"
                           : sh_bytes_is(set->kind, "physical") ? "physical"
                           : sh_bytes_is(set->kind, "files")    ? "files"
                           : sh_bytes_is(set->kind, "config")   ? "config"
                                                                : "other";
        const char *const labels[] = {kind};
        sh_series_set(sh_series(&success_gauge, labels), set->created_at);
        sh_series_set(sh_series(&size_gauge, labels), (double)set->size_bytes);
        if (strcmp(kind, "physical") == 0)
            backup->latest_physical = set->created_at;
        if (strcmp(kind, "full") != 0)
            continue;
        backup->latest_full = set->created_at;
        if (set->verified && sh_bytes_is(set->proven, "restored"))
            backup->latest_verified = set->created_at;
    }
    if (backup->latest_verified > 0)
        sh_series_set(sh_series(&verified_gauge, NULL), backup->latest_verified);
    if (backup->latest_full > 0 && !backup->config.backup.wal) /* which knows better */
        look_at_risk(sh_wall_time() - backup->latest_full);
    sh_series_set(sh_series(&sets_gauge, (const char *[]){"readable"}),
                  (double)sets->count);
    sh_series_set(sh_series(&sets_gauge, (const char *[]){"unreadable"}),
                  (double)sets->unreadable);
    backup->looked = true;
}

static void tell(struct backup *backup, const struct sets *sets)
{
    char detail[256] = "{\"latest_backup\":null,\"backup_count\":0}";
    const char *message = complaint(backup, sets);
    char when[32];

    if (sets->count > 0) {
        sh_wall_text(sets->list[0].created_at, when);
        (void)snprintf(
            detail, sizeof(detail),
            "{\"latest_backup\":\"%s\",\"age_hours\":%.2f,\"backup_count\":%zu}", when,
            (sh_wall_time() - sets->list[0].created_at) / 3600, sets->count);
    }
    sh_health_set(backup->check, message[0] ? SH_DEGRADED : SH_HEALTHY, -1, message,
                  detail);
}

static void repair(struct backup *backup)
{
    static const char *const words[] = {"repair", "--by", "service", "--wait"};
    static const struct run_order order = {
        .words = words, .count = SH_COUNT(words), .by = "service", .regardless = true};

    if (journal_left(backup->config.backup.directory) &&
        !runs_busy(backup->runs, "repair") &&
        runs_add(backup->runs, &order, NULL) != SH_OK)
        sh_warning(NULL, "a restore was killed: `cairn-backup repair` is needed");
}

static void on_looked(void *arg, enum sh_err err, const struct sets *sets)
{
    struct backup *backup = arg;

    backup->looking = false;
    if (backup->stopped)
        return;
    repair(backup);
    if (err == SH_OK) {
        learn(backup, sets);
        tell(backup, sets);
    } else {
        sh_health_set(backup->check, SH_UNHEALTHY, -1,
                      "the backup directory cannot be read", NULL);
    }
    if (backup->look_again)
        look_now(backup);
}

void look_now(struct backup *backup)
{
    backup->look_again = backup->looking;
    if (!backup->looking && !backup->stopped)
        backup->looking = sets_read_later(backup->loop, backup->config.backup.directory,
                                          on_looked, backup) == SH_OK;
}

static void on_timer(uv_timer_t *timer)
{
    static const struct runs_question all = {.id = ""};
    struct backup *backup = timer->data;

    look_now(backup);
    if (runs_read(backup->runs, &all, NULL, NULL) != SH_OK) /* for who ended unheard */
        sh_warning(NULL, "runs cannot be looked at: %s", sh_err_text(SH_NOMEM));
}

enum sh_err look_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    backup->check = sh_health_add(sh_service_health(service), "backups", false);
    if (backup->check == NULL)
        return SH_NOMEM;
    sh_health_set(backup->check, SH_HEALTHY, -1, "", NULL); /* nothing is wrong so far */
    uv_timer_init(backup->loop, &backup->look_timer);       /* cannot fail */
    backup->look_timer.data = backup;
    uv_timer_start(&backup->look_timer, on_timer, 0, LOOK_EVERY_MS);
    return SH_OK;
}

void look_stop(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    (void)service;
    backup->stopped = true;
    uv_close((uv_handle_t *)&backup->look_timer, NULL);
}
