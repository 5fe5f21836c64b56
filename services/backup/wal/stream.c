#include "services/backup/wal/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/wal/coverage.h"
#include "services/backup/wal/receiver.h"
#include "services/backup/wal/shelf.h"
#include "services/backup/wal/watch.h"
#include "shared/clock.h"

enum { TICK_MS = 250, LOOK_MS = 500, COVERAGE_MS = 5000, RETRY_MS = 2000 };

struct stream {
    struct work *work;
    struct watch watch;
    struct receiver receiver;
    struct spool spool;
    int store; /* -1: the server is not known yet */
    struct shelf shelves[SHELVES_MOST];
    size_t shelf_count;
    uint64_t stored;   /* the log up to here is stored */
    double stored_at;  /* what was committed before is */
    unsigned partials; /* how many were stored: which name is next */
    uint64_t partial_ms;
    uint64_t look_ms, coverage_ms, retry_ms, told_ms;
    struct coverage coverage;
    uint64_t segments, bytes;
    char error[256]; /* what is wrong now; "" */
};

/* --- storing ---------------------------------------------------------------------- */

static enum sh_err store_one(struct stream *stream, int fd,
                             const struct store_piece *piece)
{
    struct work *work = stream->work;
    json_t *record = NULL;
    enum sh_err err;

    work->error[0] = '\0';
    err = store_put(work, stream->store, fd, piece);
    if (err != SH_OK)
        return err;
    for (size_t i = 0; i < stream->shelf_count; i++)
        if (shelf_send(work, &stream->shelves[i], stream->store, stream->watch.system,
                       piece->name))
            stream->shelves[i].stored =
                piece->through > 0 ? piece->through : stream->shelves[i].stored;
    if (store_record(work, stream->store, piece->name, &record) == SH_OK)
        stream->bytes += (uint64_t)json_integer_value(
            json_object_get(json_object_get(record, "stream"), "bytes"));
    json_decref(record);
    return SH_OK;
}

static enum sh_err store_named(struct stream *stream, const char *file,
                               const struct store_piece *piece)
{
    int fd = spool_file(&stream->spool, file);
    enum sh_err err =
        fd >= 0 ? store_one(stream, fd, piece)
                : work_fail(stream->work, SH_IO, "%s: %s", file, strerror(errno));

    if (fd >= 0)
        (void)close(fd);
    return err;
}

static void reach(struct stream *stream, uint64_t lsn)
{
    if (lsn > stream->stored)
        stream->stored = lsn;
}

/* Whole ones, oldest first; each leaves the spool when it is stored. */
static enum sh_err store_whole(struct stream *stream)
{
    char name[STORE_NAME];
    struct segment segment;
    enum sh_err err = SH_OK;

    while (err == SH_OK && !work_cancelled(stream->work) &&
           spool_whole(&stream->spool, stream->watch.size, name)) {
        bool whole = segment_parse(name, stream->watch.size, &segment);
        uint64_t through = whole ? (segment.number + 1) * stream->watch.size : 0;
        struct store_piece piece = {
            .name = name,
            .segment = name,
            .system = stream->watch.system,
            .through = through,
            .at = watch_time(&stream->watch, through, stream->stored_at)};
        err = store_named(stream, name, &piece);
        if (err != SH_OK)
            break;
        spool_remove(&stream->spool, name);
        stream->segments += whole;
        reach(stream, through);
        stream->coverage_ms = 0; /* look again */
    }
    return err;
}

/* What the server knows to be received is in the file. */
static enum sh_err store_partial_one(struct stream *stream)
{
    uint64_t received = stream->watch.received;
    uint64_t size = stream->watch.size;
    struct segment segment;
    char name[SEGMENT_NAME];
    char file[STORE_NAME];

    if (received <= stream->stored || !spool_partial(&stream->spool, size, &segment) ||
        received <= segment.number * size || received > (segment.number + 1) * size)
        return SH_OK;
    segment_name(segment, size, name);
    (void)snprintf(file, sizeof(file), "%s.partial", name);
    struct store_piece piece = {
        .name = store_partial(stream->partials),
        .segment = name,
        .system = stream->watch.system,
        .through = received,
        .at = watch_time(&stream->watch, received, stream->stored_at),
        .partial = true};
    int fd = spool_file(&stream->spool, file);
    if (fd < 0) /* it has become a whole one meanwhile */
        return SH_OK;
    enum sh_err err = store_one(stream, fd, &piece);
    (void)close(fd);
    if (err == SH_OK) {
        stream->partials++;
        reach(stream, received);
    }
    return err;
}

/* Which of the two partial ones may be overwritten, and how far the store reaches. */
static void remember(struct stream *stream)
{
    uint64_t best = 0;

    for (unsigned i = 0; i < STORE_PARTIALS; i++) {
        struct work quiet = *stream->work;
        json_t *record = NULL;
        uint64_t lsn;
        if (store_record(&quiet, stream->store, store_partial(i), &record) == SH_OK &&
            lsn_parse(json_string_value(json_object_get(record, "through")), &lsn) &&
            lsn > best) {
            best = lsn;
            stream->partials = i + 1;
        }
        json_decref(record);
    }
}

static void save(struct stream *stream, bool now)
{
    uint64_t every_ms = (uint64_t)stream->work->all->backup.wal_seconds * 1000;
    enum sh_err err = store_whole(stream);

    if (err == SH_OK && (now || sh_now_ms() - stream->partial_ms >= every_ms)) {
        err = store_partial_one(stream);
        stream->partial_ms = sh_now_ms();
    }
    if (err != SH_OK)
        (void)snprintf(stream->error, sizeof(stream->error), "%.250s",
                       stream->work->error);
    stream->work->error[0] = '\0';
    for (size_t i = 0; i < stream->shelf_count; i++) {
        struct shelf *shelf = &stream->shelves[i];
        bool was_behind = shelf->behind;
        shelf_catch_up(stream->work, shelf, stream->store, stream->watch.system);
        if (was_behind && !shelf->behind) /* whole ones are there, the next one will be */
            shelf->stored = stream->stored / stream->watch.size * stream->watch.size;
        shelf->at = watch_time(&stream->watch, shelf->stored, shelf->at);
    }
    stream->stored_at = watch_time(&stream->watch, stream->stored, stream->stored_at);
}

/* --- the server ------------------------------------------------------------------- */

static enum sh_err open_store(struct stream *stream)
{
    enum sh_err err =
        store_open(stream->work, stream->watch.system, true, &stream->store);

    if (err == SH_OK)
        err =
            spool_open(stream->work, stream->store, stream->watch.system, &stream->spool);
    if (err != SH_OK)
        return err;
    stream->shelf_count = shelves_open(stream->work, stream->store, stream->shelves);
    remember(stream);
    return SH_OK;
}

static void say(struct stream *stream, const char *text)
{
    (void)snprintf(stream->error, sizeof(stream->error), "%.250s", text);
}

/* SH_OK: try again later, if it has not come about. */
static enum sh_err connect_now(struct stream *stream)
{
    enum sh_err err;

    if (stream->watch.conn != NULL || sh_now_ms() < stream->retry_ms)
        return SH_OK;
    stream->work->error[0] = '\0';
    err = watch_connect(&stream->watch);
    if (err == SH_OK && stream->store < 0)
        return open_store(stream);
    if (err == SH_CONFLICT || err == SH_INVALID || err == SH_NOMEM)
        return err;
    if (err != SH_OK) {
        say(stream, stream->work->error);
        stream->retry_ms = sh_now_ms() + RETRY_MS;
    } else {
        say(stream, "");
    }
    stream->work->error[0] = '\0';
    return SH_OK;
}

static void look(struct stream *stream)
{
    bool lost = false;

    if (stream->watch.conn == NULL || sh_now_ms() - stream->look_ms < LOOK_MS)
        return;
    stream->look_ms = sh_now_ms();
    if (watch_look(&stream->watch, &lost) != SH_OK) {
        say(stream, stream->work->error);
        watch_disconnect(&stream->watch);
        stream->retry_ms = sh_now_ms() + RETRY_MS;
    } else if (stream->watch.received > 0) {
        say(stream, "");
    }
    if (lost) /* what it kept is gone: the receiver begins where the new one does */
        receiver_stop(&stream->receiver);
    stream->work->error[0] = '\0';
}

/* --- telling ---------------------------------------------------------------------- */

static double recovery_point(const struct stream *stream)
{
    double at = stream->stored_at;

    for (size_t i = 0; i < stream->shelf_count; i++)
        if (stream->shelves[i].at < at)
            at = stream->shelves[i].at;
    return at;
}

static const char *trouble(const struct stream *stream)
{
    for (size_t i = 0; i < stream->shelf_count; i++)
        if (stream->shelves[i].error[0] != '\0')
            return stream->shelves[i].error;
    if (stream->error[0] != '\0')
        return stream->error;
    return stream->watch.received == 0 ? stream->receiver.error : "";
}

static void tell(struct stream *stream)
{
    const struct coverage *coverage = &stream->coverage;
    char stored[LSN_TEXT] = "";
    size_t behind = 0;

    if (!stream->work->report || sh_now_ms() - stream->told_ms < 1000)
        return;
    stream->told_ms = sh_now_ms();
    if (stream->stored > 0)
        lsn_text(stream->stored, stored);
    for (size_t i = 0; i < stream->shelf_count; i++)
        behind += stream->shelves[i].behind;
    json_t *line = json_pack(
        "{s:{s:s, s:f, s:s, s:I, s:s, s:b, s:s, s:I, s:b, s:I, s:I, s:I, s:I, s:s}}",
        "wal", "state", stream->watch.received > 0 ? "streaming" : "waiting",
        "recovery_point", recovery_point(stream), "stored", stored, "missing",
        (json_int_t)coverage->missing, "first_missing", coverage->first_missing, "base",
        (int)coverage->base, "slot", stream->watch.status, "slot_lag_bytes",
        (json_int_t)stream->watch.lag, "bounded", (int)stream->watch.bounded, "segments",
        (json_int_t)stream->segments, "stored_bytes", (json_int_t)stream->bytes,
        "restarts", (json_int_t)stream->receiver.starts, "behind", (json_int_t)behind,
        "error", trouble(stream));
    char *text = json_dumps(line, JSON_COMPACT);
    if (text != NULL && (printf("%s\n", text) < 0 || fflush(stdout) != 0))
        (void)raise(SIGTERM); /* nobody listens any more */
    free(text);               /* jansson's */
    json_decref(line);
}

/* --- the loop --------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* the loop has turned: that is all */
}

static enum sh_err turn(struct stream *stream)
{
    enum sh_err err = connect_now(stream);

    if (err != SH_OK)
        return err;
    look(stream);
    if (stream->store >= 0) {
        (void)receiver_ended(&stream->receiver);
        save(stream, false);
        if (stream->watch.conn != NULL)
            receiver_keep(&stream->receiver, stream->watch.conninfo, &stream->spool);
        if (sh_now_ms() - stream->coverage_ms >= COVERAGE_MS) {
            coverage_look(stream->work, stream->watch.system, &stream->coverage);
            stream->coverage_ms = sh_now_ms();
        }
    }
    tell(stream);
    return SH_OK;
}

static void finish(struct stream *stream)
{
    receiver_stop(&stream->receiver);
    if (stream->store >= 0)
        save(stream, true);
    for (size_t i = 0; i < stream->shelf_count; i++)
        shelf_close(&stream->shelves[i]);
    spool_close(&stream->spool);
    if (stream->store >= 0)
        (void)close(stream->store);
    watch_close(&stream->watch);
}

static enum sh_err lock(struct work *work)
{
    (void)mkdirat(work->root, STORE_ROOT, 0700); /* what failed, open() tells */
    int fd = openat(work->root, STORE_ROOT "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return work_fail(work, SH_IO, "BACKUP_DIR cannot be written: %s",
                         strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return SH_OK; /* held until the process ends */
    (void)close(fd);
    return work_fail(work, SH_CONFLICT, "the log is being received already");
}

enum sh_err stream_run(struct work *work)
{
    static struct stream stream = {.store = -1, .spool = {.fd = -1}};
    static uv_timer_t tick; /* closed when the loop is turned for the last time */
    enum sh_err err;

    if (work->report) /* started by the service: it is to end with it */
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    stream.work = stream.watch.work = stream.receiver.work = work;
    work->stage = "stream";
    err = lock(work);
    if (err != SH_OK)
        return err;
    uv_timer_init(work->loop, &tick); /* cannot fail */
    uv_timer_start(&tick, on_tick, TICK_MS, TICK_MS);
    while (err == SH_OK && !work_cancelled(work)) {
        (void)uv_run(work->loop, UV_RUN_ONCE);
        err = turn(&stream);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    finish(&stream);
    return err;
}

int stream_guarded(char **argv)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0)
        (void)execvp(argv[0], argv);
    (void)fprintf(stderr, "error: %s cannot be started: %s\n", argv[0], strerror(errno));
    return EXIT_FAILURE;
}
