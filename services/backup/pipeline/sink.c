#include "services/backup/pipeline/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/pipeline/digest.h"
#include "services/backup/pipeline/pack.h"
#include "services/backup/pipeline/seal.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { LOOK_EVERY = 16 << 20, NAME_MAX_BYTES = 64 };

struct sink {
    struct work *work;
    int folder;
    char name[NAME_MAX_BYTES];
    struct pack *pack;
    bool sealed;
    struct seal seal;
    unsigned char plain[SEAL_PIECE]; /* waits to be a piece */
    size_t plain_len;
    unsigned char piece[SEAL_PIECE_MAX];
    int fd; /* of the file that is written; -1: none */
    unsigned count;
    uint64_t size; /* of that file */
    uint64_t part_max;
    struct digest digest;
    json_t *parts;
    uint64_t raw, bytes, looked;
    uint64_t begun_ms;
    enum sh_err err;
};

/* --- room and rate ---------------------------------------------------------------- */

enum sh_err sink_room(struct work *work, int folder, uint64_t wanted)
{
    struct statvfs disk;
    uint64_t keep = (uint64_t)work->all->backup.free_mb << 20;

    if (fstatvfs(folder, &disk) != 0)
        return work_fail(work, SH_IO, "the disk of the backups cannot be asked: %s",
                         strerror(errno));
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room >= keep && room - keep >= wanted)
        return SH_OK;
    return work_fail(work, SH_BUSY,
                     "the disk of the backups is short: %llu MB free, %u must stay so",
                     (unsigned long long)(room >> 20), work->all->backup.free_mb);
}

/* Not faster than BACKUP_RATE_MB: sleeps for what the bytes so far are early. */
static void hold_back(const struct sink *sink)
{
    uint64_t rate = (uint64_t)sink->work->all->backup.rate_mb << 20;
    uint64_t due_ms;
    uint64_t spent_ms = sh_now_ms() - sink->begun_ms;

    if (rate == 0)
        return;
    due_ms = sink->bytes * 1000 / rate;
    if (due_ms > spent_ms) {
        uint64_t wait_ms = due_ms - spent_ms > 1000 ? 1000 : due_ms - spent_ms;
        struct timespec pause = {(time_t)(wait_ms / 1000),
                                 (long)(wait_ms % 1000) * 1000000};
        (void)nanosleep(&pause, NULL); /* a signal ends it */
    }
}

/* --- files ------------------------------------------------------------------------ */

static enum sh_err disk_error(struct sink *sink, const char *what)
{
    int code = errno;
    enum sh_err err = code == ENOSPC || code == EDQUOT || code == EFBIG ? SH_BUSY : SH_IO;

    return work_fail(sink->work, err, "%s.%03u cannot be %s: %s", sink->name, sink->count,
                     what, strerror(code));
}

static enum sh_err begin_part(struct sink *sink)
{
    char name[NAME_MAX_BYTES + 16];

    (void)snprintf(name, sizeof(name), "%s.%03u", sink->name, sink->count);
    sink->fd = openat(sink->folder, name,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    sink->size = 0;
    if (sink->fd < 0)
        return disk_error(sink, "made");
    return digest_begin(&sink->digest);
}

static enum sh_err end_part(struct sink *sink)
{
    char name[NAME_MAX_BYTES + 16];
    char hash[DIGEST_TEXT];
    int fd = sink->fd;
    int synced = fsync(fd);
    enum sh_err err = synced == 0 ? SH_OK : disk_error(sink, "written");

    sink->fd = -1;
    if (close(fd) != 0 && err == SH_OK)
        err = disk_error(sink, "closed");
    if (err != SH_OK)
        return err;
    (void)snprintf(name, sizeof(name), "%s.%03u", sink->name, sink->count++);
    digest_end(&sink->digest, hash);
    if (json_array_append_new(sink->parts,
                              json_pack("{s:s, s:I, s:s}", "name", name, "size",
                                        (json_int_t)sink->size, "sha256", hash)) != 0)
        return SH_NOMEM;
    return SH_OK;
}

static enum sh_err write_some(struct sink *sink, struct sh_bytes bytes)
{
    const char *data = bytes.data;
    size_t len = bytes.len;

    digest_add(&sink->digest, bytes);
    while (len > 0) {
        ssize_t n = write(sink->fd, data, len);
        if (n < 0 && errno != EINTR)
            return disk_error(sink, "written");
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
        enum sh_err err = work_go_on(sink->work);
        if (err != SH_OK)
            return err;
    }
    sink->size += bytes.len;
    sink->bytes += bytes.len;
    return SH_OK;
}

/* Into files of at most part_max bytes. */
static enum sh_err put(struct sink *sink, struct sh_bytes bytes)
{
    enum sh_err err = SH_OK;

    while (bytes.len > 0 && err == SH_OK) {
        if (sink->fd < 0)
            err = begin_part(sink);
        uint64_t room = sink->part_max - sink->size;
        struct sh_bytes some = {bytes.data, bytes.len < room ? bytes.len : (size_t)room};
        if (err == SH_OK)
            err = write_some(sink, some);
        if (err == SH_OK && sink->size == sink->part_max)
            err = end_part(sink);
        bytes.data = (const char *)bytes.data + some.len;
        bytes.len -= some.len;
    }
    if (err == SH_OK && sink->bytes - sink->looked >= LOOK_EVERY) {
        sink->looked = sink->bytes;
        err = sink_room(sink->work, sink->folder, 0);
    }
    hold_back(sink);
    return err;
}

/* --- what pack gives -------------------------------------------------------------- */

static enum sh_err put_piece(struct sink *sink, bool last)
{
    size_t len = seal_piece(&sink->seal, (struct sh_bytes){sink->plain, sink->plain_len},
                            last, sink->piece);

    sink->plain_len = 0;
    return put(sink, (struct sh_bytes){sink->piece, len});
}

static enum sh_err on_packed(void *arg, struct sh_bytes bytes)
{
    struct sink *sink = arg;
    const char *data = bytes.data;
    enum sh_err err = SH_OK;

    if (!sink->sealed)
        return put(sink, bytes);
    while (bytes.len > 0 && err == SH_OK) {
        size_t some = SEAL_PIECE - sink->plain_len;
        some = some < bytes.len ? some : bytes.len;
        memcpy(sink->plain + sink->plain_len, data, some);
        sink->plain_len += some;
        data += some;
        bytes.len -= some;
        /* a full one waits until it is known that it is not the last */
        if (sink->plain_len == SEAL_PIECE && bytes.len > 0)
            err = put_piece(sink, false);
    }
    return err;
}

/* --- the whole -------------------------------------------------------------------- */

static enum sh_err begin_seal(struct sink *sink, const char *hex)
{
    unsigned char key[32];
    unsigned char head[SEAL_HEAD];

    if (!seal_key_parse(hex, key) || seal_begin(&sink->seal, key, head) != SH_OK)
        return work_fail(sink->work, SH_INVALID, "BACKUP_PUBLIC_KEY is no public key");
    sink->sealed = true;
    return put(sink, (struct sh_bytes){head, sizeof(head)});
}

static enum sh_err open_with(struct work *work, int folder, const char *name,
                             const char *public_key, struct sink **out)
{
    const struct backup_config *config = &work->all->backup;
    struct sink *sink = sh_alloc(sizeof(*sink));
    struct pack_options options = {.level = (int)config->level,
                                   .threads = config->threads,
                                   .out = on_packed,
                                   .arg = sink};
    enum sh_err err = sink ? SH_OK : SH_NOMEM;

    *out = sink;
    if (sink == NULL)
        return err;
    sink->work = work;
    sink->folder = folder;
    sink->fd = -1;
    sink->part_max = (uint64_t)config->part_mb << 20;
    sink->begun_ms = sh_now_ms();
    sink->parts = json_array();
    (void)snprintf(sink->name, sizeof(sink->name), "%s", name);
    if (!pack_method_parse(config->compression, &options.method))
        err = SH_INVALID;
    if (err == SH_OK)
        err = pack_open(&options, false, &sink->pack);
    if (err == SH_OK && public_key[0] != '\0')
        err = begin_seal(sink, public_key);
    if (err != SH_OK)
        sink_close(out);
    return err;
}

enum sh_err sink_open(struct work *work, int folder, const char *name, struct sink **out)
{
    return open_with(work, folder, name, work->all->backup.public_key, out);
}

enum sh_err sink_open_plain(struct work *work, int folder, const char *name,
                            struct sink **out)
{
    return open_with(work, folder, name, "", out);
}

enum sh_err sink_add(struct sink *sink, struct sh_bytes bytes)
{
    if (sink->err == SH_OK)
        sink->err = work_go_on(sink->work);
    if (sink->err == SH_OK)
        sink->err = pack_add(sink->pack, bytes, false);
    sink->raw += bytes.len;
    return sink->err;
}

enum sh_err sink_take(void *sink, struct sh_bytes bytes)
{
    return sink_add(sink, bytes);
}

enum sh_err sink_finish(struct sink *sink, json_t **stream)
{
    const struct backup_config *config = &sink->work->all->backup;

    *stream = NULL;
    if (sink->err == SH_OK)
        sink->err = pack_add(sink->pack, (struct sh_bytes){0}, true);
    if (sink->err == SH_OK && sink->sealed)
        sink->err = put_piece(sink, true);
    if (sink->err == SH_OK && sink->fd >= 0)
        sink->err = end_part(sink);
    if (sink->err == SH_OK) {
        *stream =
            json_pack("{s:s, s:b, s:I, s:I, s:O}", "compression", config->compression,
                      "encrypted", (int)sink->sealed, "raw_bytes", (json_int_t)sink->raw,
                      "bytes", (json_int_t)sink->bytes, "parts", sink->parts);
        sink->err = *stream ? SH_OK : SH_NOMEM;
    }
    return sink->err;
}

uint64_t sink_raw_bytes(const struct sink *sink)
{
    return sink->raw;
}

void sink_close(struct sink **at)
{
    struct sink *sink = *at;

    *at = NULL;
    if (sink == NULL)
        return;
    if (sink->fd >= 0)
        (void)close(sink->fd);
    pack_close(&sink->pack);
    digest_free(&sink->digest);
    json_decref(sink->parts);
    sodium_memzero(sink->plain, sizeof(sink->plain));
    sodium_memzero(&sink->seal, sizeof(sink->seal));
    sh_free(sink);
}
