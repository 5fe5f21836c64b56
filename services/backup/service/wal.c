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

/* --- what it says ------------------------------------------------------------------- */

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

static void take_line(struct wal *wal, const char *data, size_t len)
{
    json_t *line = json_loadb(data, len, 0, NULL);
    const json_t *said = json_object_get(line, "wal");
    const char *code = json_string_value(json_object_get(line, "code"));

    if (json_is_object(said))
        take(wal, said);
    if (json_is_true(json_object_get(line, "ended")) && code != NULL) {
        wal->other = strcmp(code, sh_err_code(SH_CONFLICT)) == 0;
        text(line, "error", wal->error, sizeof(wal->error));
    }
    json_decref(line);
}

static void take_bytes(struct wal *wal, const char *data, size_t len)
{
    for (const char *end; (end = memchr(data, '\n', len)) != NULL;) {
        size_t some = (size_t)(end - data);
        sh_buffer_append(&wal->line, data, some);
        if (wal->line.err == SH_OK)
            take_line(wal, wal->line.data, wal->line.len);
        sh_buffer_clear(&wal->line);
        data = end + 1;
        len -= some + 1;
    }
    if (wal->line.len + len <= LINE_MOST)
        sh_buffer_append(&wal->line, data, len);
}

/* --- its process -------------------------------------------------------------------- */

static void ended(struct wal *wal)
{
    double now = sh_wall_time();
    double pause;

    wal->running = wal->streaming = false;
    sh_buffer_clear(&wal->line);
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

static void on_closed(uv_handle_t *handle)
{
    struct wal *wal = handle->data;

    if (--wal->handles == 0)
        ended(wal);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct wal *wal = handle->data;

    (void)wanted;
    *buf = uv_buf_init(wal->read, sizeof(wal->read));
}

static void on_out(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct wal *wal = stream->data;

    if (len > 0)
        take_bytes(wal, buf->base, (size_t)len);
    else if (len < 0 && !uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_exit_of(uv_process_t *process, int64_t status, int term_signal)
{
    struct wal *wal = process->data;

    (void)term_signal;
    wal->exited = true;
    wal->status = status;
    if (!uv_is_closing((uv_handle_t *)process))
        uv_close((uv_handle_t *)process, on_closed);
}

static void begin(struct wal *wal)
{
    static char program[PATH];
    size_t size = sizeof(program);
    char verb[] = "stream";
    char report[] = "--report";
    char *argv[] = {program, verb, report, NULL};
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {.exit_cb = on_exit_of,
                                    .file = program,
                                    .args = argv,
                                    .stdio_count = 3,
                                    .stdio = stdio};
    int rc = uv_exepath(program, &size);

    stdio[1].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    stdio[1].data.stream = (uv_stream_t *)&wal->out;
    stdio[2].flags = UV_IGNORE;
    wal->running = true;
    wal->exited = wal->other = false;
    wal->handles = 2;
    wal->begun = sh_wall_time();
    wal->out.data = wal->process.data = wal;
    (void)uv_pipe_init(wal->backup->loop, &wal->out, 0); /* cannot fail */
    sh_series_add(sh_series(&restarts_counter, NULL), 1);
    if (rc == 0)
        rc = uv_spawn(wal->backup->loop, &wal->process, &options);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&wal->out, on_alloc, on_out);
    if (rc == 0)
        return;
    (void)snprintf(wal->error, sizeof(wal->error), "it cannot be started: %s",
                   uv_strerror(rc));
    uv_close((uv_handle_t *)&wal->out, on_closed);
    uv_close((uv_handle_t *)&wal->process, on_closed);
}

/* --- physical sets ------------------------------------------------------------------ */

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
    const char *why = base_due(wal, now);
    const struct run *run;

    if (why == NULL || now < wal->base_not_before || wal->draining ||
        runs_busy(wal->backup->runs, "create"))
        return;
    sh_info(NULL, "a physical set is made: %s", why);
    /* what it is told next is what was looked at before the set was there */
    wal->base_not_before = now + BASE_RETRY_S;
    if (runs_add(wal->backup->runs, words, SH_COUNT(words), "wal", &run) != SH_OK)
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

/* --- looking after it --------------------------------------------------------------- */

double wal_recovery_point(const struct backup *backup)
{
    const struct wal *wal = &backup->wal;

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
    double point = fmax(wal_recovery_point(backup), backup->latest_full);

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
    if (!wal->exited)
        (void)uv_process_kill(&wal->process, SIGTERM);
}

void wal_stop(struct sh_service *service, void *self)
{
    struct wal *wal = &((struct backup *)self)->wal;

    (void)service;
    wal->draining = true;
    uv_close((uv_handle_t *)&wal->timer, NULL);
    if (wal->running && !uv_is_closing((uv_handle_t *)&wal->out))
        uv_close((uv_handle_t *)&wal->out, on_closed);
    if (wal->running && !uv_is_closing((uv_handle_t *)&wal->process))
        uv_close((uv_handle_t *)&wal->process, on_closed);
    sh_buffer_free(&wal->line);
}
