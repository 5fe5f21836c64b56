#include "services/backup/service/wal.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "services/backup/service/backup.h"
#include "services/backup/service/complaint.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum {
    TICK_MS = 1000,
    LINE_MOST = 65536,
    PATH = 4096,
    RETRY_MOST_S = 60,
    OTHER_S = 3,    /* until it is tried again whether the other replica is gone */
    SETTLED_S = 60, /* what ran so long has not failed at its start */
    BASE_RETRY_S = 60,
    BASE_DOUBLINGS = 5,
};

static struct sh_family streaming_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_wal_streaming",
    .help = "1: the write-ahead log is being received by this replica."};
static struct sh_family lag_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_wal_slot_lag_bytes",
    .help = "Log that the replication slot keeps on the server's disk."};
static struct sh_family point_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_wal_recovery_point_timestamp_seconds",
    .help = "What was committed before is stored, here and in all places."};
static struct sh_family missing_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_wal_missing_segments",
    .help = "Segments between the newest physical set and the newest log that are not "
            "stored."};
static struct sh_family stored_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_backup_wal_stored_bytes",
    .help = "Bytes of the log that were stored since its process was started."};
static struct sh_family restarts_counter = {
    .kind = SH_COUNTER,
    .name = "cairn_backup_wal_restarts_total",
    .help = "Starts of the process that stores the log."};

/* --- what it says ----------------------------------------------------------------- */

static double number(const json_t *wal, const char *name)
{
    return json_number_value(json_object_get(wal, name));
}

static void text(const json_t *wal, const char *name, char *into, size_t size)
{
    const char *value = json_string_value(json_object_get(wal, name));

    (void)snprintf(into, size, "%s", value != NULL ? value : "");
}

static void take(struct wal *wal, const json_t *said)
{
    char before[sizeof(wal->error)];

    memcpy(before, wal->error, sizeof(before));
    wal->heard = true;
    wal->heard_at = sh_wall_time();
    text(said, "slot", wal->slot, sizeof(wal->slot));
    text(said, "error", wal->error, sizeof(wal->error));
    wal->streaming = strcmp(json_string_value(json_object_get(said, "state"))
                                ? json_string_value(json_object_get(said, "state"))
                                : "",
                            "streaming") == 0;
    wal->base = json_is_true(json_object_get(said, "base"));
    if (wal->bounded && !json_is_true(json_object_get(said, "bounded")) && wal->streaming)
        sh_warning(NULL, "max_slot_wal_keep_size is not set on the server: while this "
                         "service is away its slot can fill the disk there");
    wal->bounded = wal->bounded &&
                   (json_is_true(json_object_get(said, "bounded")) || !wal->streaming);
    wal->recovery_point = number(said, "recovery_point");
    wal->missing = (uint64_t)number(said, "missing");
    wal->behind = (uint64_t)number(said, "behind");
    sh_series_set(sh_series(&lag_gauge, NULL), number(said, "slot_lag_bytes"));
    sh_series_set(sh_series(&missing_gauge, NULL), (double)wal->missing);
    sh_series_set(sh_series(&stored_gauge, NULL), number(said, "stored_bytes"));
    sh_series_set(sh_series(&point_gauge, NULL), wal->recovery_point);
    if (wal->error[0] != '\0' && strcmp(before, wal->error) != 0)
        sh_warning(NULL, "write-ahead log: %s", wal->error);
}

static void on_line(void *arg, const json_t *line)
{
    struct wal *wal = arg;
    const json_t *said = json_object_get(line, "wal");
    const char *code = json_string_value(json_object_get(line, "code"));

    if (json_is_object(said))
        take(wal, said);
    if (json_is_true(json_object_get(line, "ended")) && code != NULL) {
        wal->other = strcmp(code, sh_err_code(SH_CONFLICT)) == 0;
        text(line, "error", wal->error, sizeof(wal->error));
    }
}

/* --- its process ------------------------------------------------------------------ */

static void on_end(void *arg)
{
    struct wal *wal = arg;
    double now = sh_wall_time();
    double pause;

    wal->running = wal->streaming = false;
    if (wal->held) {
        wal->held = false;
        sh_service_release(wal->backup->service);
    }
    if (now - wal->begun > SETTLED_S)
        wal->failures = 0;
    pause = wal->other ? OTHER_S : fmin(pow(2, wal->failures), RETRY_MOST_S);
    wal->failures += wal->failures < 10 && !wal->other;
    wal->retry_at = now + pause;
    if (!wal->draining && !wal->other)
        sh_warning(NULL, "the process that stores the write-ahead log has ended: %s",
                   wal->error[0] ? wal->error : "without a word");
}

static void begin(struct wal *wal)
{
    static char program[PATH];
    size_t size = sizeof(program);
    char verb[] = "stream";
    char report[] = "--report";
    char *argv[] = {program, verb, report, NULL};
    struct teller_spec spec = {
        .program = program, .argv = argv, .line_most = LINE_MOST, .inherits = -1};

    (void)uv_exepath(program, &size); /* or it cannot be started */
    wal->running = true;
    wal->other = false;
    wal->begun = sh_wall_time();
    wal->teller.on_line = on_line;
    wal->teller.on_end = on_end;
    wal->teller.arg = wal;
    sh_series_add(sh_series(&restarts_counter, NULL), 1);
    int rc = teller_start(&wal->teller, wal->backup->loop, &spec);
    if (rc != 0)
        (void)snprintf(wal->error, sizeof(wal->error), "it cannot be started: %s",
                       uv_strerror(rc));
}

/* --- physical sets ---------------------------------------------------------------- */

/* Why one is due now; NULL: none is. */
static const char *base_due(const struct wal *wal, double now)
{
    double last = wal->backup->latest_physical;

    if (!wal->heard || !wal->streaming || !wal->backup->looked)
        return NULL;
    if (!wal->base)
        return "there is none for this server";
    if (wal->missing > 0)
        return "the log behind the last one has a gap";
    if (wal->scheduled && last > 0 && (double)cron_next(&wal->cron, (time_t)last) <= now)
        return "BACKUP_PHYSICAL_SCHEDULE";
    return NULL;
}

static void make_base(struct wal *wal, double now)
{
    static const char *const words[] = {"create", "--kind", "physical",
                                        "--by",   "wal",    "--wait"};
    static const struct run_order order = {
        .words = words, .count = SH_COUNT(words), .by = "wal", .regardless = true};
    const char *why = base_due(wal, now);

    if (why == NULL || now < wal->base_not_before || wal->draining ||
        runs_busy(wal->backup->runs, "create"))
        return;
    sh_info(NULL, "a physical set is made: %s", why);
    /* what it is told next is what was looked at before the set was there */
    wal->base_not_before = now + BASE_RETRY_S;
    if (runs_add(wal->backup->runs, &order, NULL) != SH_OK)
        sh_warning(NULL, "a physical set cannot be made now");
}

void wal_run_ended(struct backup *backup, const struct run *run)
{
    struct wal *wal = &backup->wal;
    double pause = BASE_RETRY_S;

    if (strcmp(run->by, "wal") != 0)
        return;
    if (run->state != RUN_DONE)
        pause *= pow(2, wal->base_failures);
    wal->base_failures = run->state == RUN_DONE                ? 0
                         : wal->base_failures < BASE_DOUBLINGS ? wal->base_failures + 1
                                                               : BASE_DOUBLINGS;
    wal->base_not_before = sh_wall_time() + pause;
}

/* --- looking after it ------------------------------------------------------------- */

/* What was committed before is stored and can be recovered, Unix seconds; 0: not so. */
static double recovery_point(const struct wal *wal)
{
    return wal->base && wal->missing == 0 ? wal->recovery_point : 0;
}

const char *wal_complaint(const struct backup *backup)
{
    const struct wal *wal = &backup->wal;
    struct log_facts facts = {.wanted = backup->config.backup.wal,
                              .elsewhere = wal->other,
                              .heard = wal->heard,
                              .streaming = wal->streaming,
                              .base = wal->base,
                              .missing = wal->missing,
                              .behind = wal->behind,
                              .recovery_point = wal->recovery_point,
                              .stored_every_s = backup->config.backup.wal_seconds};

    return complaint_log(&facts, sh_service_started(backup->service), sh_wall_time());
}

static void on_timer(uv_timer_t *timer)
{
    struct wal *wal = timer->data;
    struct backup *backup = wal->backup;
    double now = sh_wall_time();
    double point = fmax(recovery_point(wal), backup->latest_full);

    if (!wal->running && !wal->draining && now >= wal->retry_at)
        begin(wal);
    make_base(wal, now);
    sh_series_set(sh_series(&streaming_gauge, NULL), wal->streaming ? 1 : 0);
    if (point > 0)
        look_at_risk(fmax(now - point, 0));
    const char *complaint = wal_complaint(backup);
    if (complaint != wal->complaint) /* each is one text in memory */
        look_now(backup);
    wal->complaint = complaint;
}

enum sh_err wal_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;
    struct wal *wal = &backup->wal;
    const char *schedule = backup->config.backup.physical_schedule;
    char fault[128] = "";

    (void)service;
    wal->backup = backup;
    wal->complaint = "";
    wal->bounded = true; /* until something else is heard */
    wal->scheduled = schedule[0] != '\0';
    if (wal->scheduled && cron_parse(schedule, &wal->cron, fault) != SH_OK) {
        sh_error(NULL, "BACKUP_PHYSICAL_SCHEDULE: %s", fault);
        return SH_INVALID;
    }
    uv_timer_init(backup->loop, &wal->timer); /* cannot fail */
    wal->timer.data = wal;
    if (backup->config.backup.wal)
        uv_timer_start(&wal->timer, on_timer, 0, TICK_MS);
    return SH_OK;
}

void wal_drain(struct sh_service *service, void *self)
{
    struct wal *wal = &((struct backup *)self)->wal;

    wal->draining = true;
    if (!wal->running)
        return;
    wal->held = true;
    sh_service_hold(service);
    teller_kill(&wal->teller, SIGTERM);
}

void wal_stop(struct sh_service *service, void *self)
{
    struct wal *wal = &((struct backup *)self)->wal;

    (void)service;
    wal->draining = true;
    uv_close((uv_handle_t *)&wal->timer, NULL);
    teller_let_go(&wal->teller);
}
