#include "services/backup/wal/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/manifest/record.h"
#include "services/backup/pipeline/sink.h"
#include "services/backup/pipeline/source.h"
#include "services/backup/wal/segment.h"

enum { PIECE = 256 * 1024, RECORD_MOST = 1 << 20, PARTS_MOST = 2000, PATH = 256 };

static const char making[] = ".making";

const char *store_partial(unsigned which)
{
    return which % STORE_PARTIALS == 0 ? "partial-a" : "partial-b";
}

/* --- the folder ------------------------------------------------------------------- */

enum sh_err store_open(struct work *work, const char *system, bool make, int *fd)
{
    char path[PATH];
    size_t len = strlen(system);

    *fd = -1;
    if (len == 0 || len > 20 || strspn(system, "0123456789") != len)
        return work_fail(work, SH_INVALID, "%.40s is no system identifier", system);
    (void)snprintf(path, sizeof(path), STORE_ROOT "/%s", system);
    if (make) { /* what failed, open() tells */
        (void)mkdirat(work->root, STORE_ROOT, 0700);
        (void)mkdirat(work->root, path, 0700);
    }
    *fd = openat(work->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd >= 0)
        return SH_OK;
    return work_fail(work, errno == ENOENT ? SH_NOTFOUND : SH_IO, "%s: %s", path,
                     strerror(errno));
}

/* --- writing ---------------------------------------------------------------------- */

static enum sh_err failed(struct work *work, const char *name)
{
    int code = errno;

    return work_fail(work, code == ENOSPC || code == EDQUOT ? SH_BUSY : SH_IO,
                     "the log's %.64s cannot be stored: %s", name, strerror(code));
}

static enum sh_err copy(struct work *work, int from, struct sink *sink)
{
    static char piece[PIECE];
    enum sh_err err = SH_OK;
    off_t at = 0;
    ssize_t n;

    while (err == SH_OK && (n = pread(from, piece, sizeof(piece), at)) != 0) {
        if (n < 0 && errno != EINTR)
            err = failed(work, "spool");
        if (n > 0) {
            at += n;
            err = sink_add(sink, (struct sh_bytes){piece, (size_t)n});
        }
    }
    return err;
}

static enum sh_err pack(struct work *work, int folder, int from, const char *name,
                        json_t **stream)
{
    struct sink *sink = NULL;
    enum sh_err err = sink_room(work, folder, 0);

    if (err == SH_OK)
        err = sink_open(work, folder, name, &sink);
    if (err == SH_OK)
        err = copy(work, from, sink);
    if (err == SH_OK)
        err = sink_finish(sink, stream);
    sink_close(&sink);
    return err;
}

static bool write_whole(int folder, const char *name, const char *text)
{
    int fd =
        openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;

    if (fd >= 0 && close(fd) != 0)
        good = false;
    return good;
}

static json_t *describe(const struct store_piece *piece, json_t *stream)
{
    char through[LSN_TEXT];

    lsn_text(piece->through, through);
    return json_pack("{s:i, s:s, s:s, s:s, s:f, s:b, s:o}", "format", 1, "segment",
                     piece->segment, "system_identifier", piece->system, "through",
                     through, "at", piece->at, "partial", (int)piece->partial, "stream",
                     stream);
}

/* The pieces first, then what says that they are there. */
static enum sh_err keep(struct work *work, int store, int folder,
                        const struct store_piece *piece, json_t *record)
{
    const json_t *parts = json_object_get(json_object_get(record, "stream"), "parts");
    enum sh_err err = record_mark(record, work->all->backup.signing_key);
    char *text = err == SH_OK ? json_dumps(record, JSON_COMPACT) : NULL;
    char name[STORE_NAME + 8];
    bool good = text != NULL;

    for (size_t i = 0; good && i < json_array_size(parts); i++) {
        const char *part =
            json_string_value(json_object_get(json_array_get(parts, i), "name"));
        good = renameat(folder, part, store, part) == 0;
    }
    (void)snprintf(name, sizeof(name), "%s.json", piece->name);
    good = good && fsync(store) == 0 && write_whole(folder, name, text) &&
           renameat(folder, name, store, name) == 0 && fsync(store) == 0;
    free(text); /* jansson's */
    if (err == SH_INVALID)
        return work_fail(work, err, "BACKUP_SIGNING_KEY is not 64 digits of hex");
    return good ? SH_OK : failed(work, piece->name);
}

/* What a process that was killed has left is overwritten or lies there unused. */
static void clear(int folder, const char *name)
{
    char part[STORE_NAME + 8];

    for (unsigned i = 0; i < PARTS_MOST; i++) {
        (void)snprintf(part, sizeof(part), "%s.%03u", name, i);
        if (unlinkat(folder, part, 0) != 0)
            return;
    }
}

enum sh_err store_put(struct work *work, int store, int from,
                      const struct store_piece *piece)
{
    json_t *stream = NULL;
    json_t *record = NULL;
    enum sh_err err;

    (void)mkdirat(store, making, 0700); /* what failed, open() tells */
    int folder = openat(store, making, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return failed(work, making);
    clear(folder, piece->name);
    err = pack(work, folder, from, piece->name, &stream);
    if (err == SH_OK) {
        record = describe(piece, stream);
        err = record ? keep(work, store, folder, piece, record) : SH_NOMEM;
    }
    if (err != SH_OK)
        clear(folder, piece->name);
    json_decref(record);
    (void)close(folder);
    return err;
}

/* --- reading ---------------------------------------------------------------------- */

enum sh_err store_record(struct work *work, int store, const char *name, json_t **record)
{
    char file[STORE_NAME + 8];
    const char *why = NULL;
    enum sh_err err = SH_OK;

    *record = NULL;
    (void)snprintf(file, sizeof(file), "%.63s.json", name);
    int fd = openat(store, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return work_fail(work, errno == ENOENT ? SH_NOTFOUND : SH_IO,
                         "the log's %.64s: %s", name, strerror(errno));
    off_t size = lseek(fd, 0, SEEK_END);
    if (size >= 0 && size <= RECORD_MOST && lseek(fd, 0, SEEK_SET) == 0)
        *record = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
    (void)close(fd);
    if (*record == NULL)
        return work_fail(work, SH_MALFORMED,
                         "the record of the log's %.64s cannot be "
                         "read",
                         name);
    if (record_check(*record, work->all->backup.signing_key, &why) != SH_OK)
        err =
            work_fail(work, SH_MALFORMED, "the record of the log's %.64s: %s", name, why);
    if (err != SH_OK) {
        json_decref(*record);
        *record = NULL;
    }
    return err;
}

enum sh_err store_get(struct work *work, int store, const json_t *record,
                      pack_out_fn *out, void *arg)
{
    return source_read(work, store, json_object_get(record, "stream"), out, arg);
}

enum sh_err store_check(struct work *work, int store, const json_t *record)
{
    return source_check(work, store, json_object_get(record, "stream"));
}

void store_remove(int store, const char *name)
{
    char file[STORE_NAME + 8];

    (void)snprintf(file, sizeof(file), "%.63s.json", name);
    (void)unlinkat(store, file, 0); /* without it there is no segment; the rest follows */
    clear(store, name);
}
