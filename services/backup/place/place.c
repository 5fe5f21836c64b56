#include "services/backup/place/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/manifest/record.h"
#include "services/backup/pipeline/digest.h"
#include "services/backup/pipeline/source.h"
#include "services/backup/place/post.h"
#include "services/backup/run/root.h"
#include "services/backup/wal/fetch.h"
#include "shared/mem.h"

enum { NAME = 256, PIECE = 256 * 1024 };

/* --- copying ---------------------------------------------------------------------- */

struct copying {
    struct work *work;
    struct post *post;
    uint64_t sent;
    uint64_t total;
};

static enum sh_err hash_file(struct copying *copying, int fd,
                             char out[static DIGEST_TEXT])
{
    static char piece[PIECE];
    struct digest digest = {0};
    enum sh_err err = digest_begin(&digest);
    ssize_t n = 0;

    while (err == SH_OK && (n = read(fd, piece, sizeof(piece))) > 0)
        digest_add(&digest, (struct sh_bytes){piece, (size_t)n});
    if (err == SH_OK && (n < 0 || lseek(fd, 0, SEEK_SET) != 0))
        err =
            work_fail(copying->work, SH_IO, "a file cannot be read: %s", strerror(errno));
    if (err == SH_OK)
        digest_end(&digest, out);
    digest_free(&digest);
    return err;
}

/* `sha256` NULL: of what is there now. */
static enum sh_err send_file(struct copying *copying, int folder, const char *file,
                             const char *name, const char *sha256, bool always)
{
    char hash[DIGEST_TEXT];
    struct stat st = {0};
    bool there = false;
    int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum sh_err err = SH_OK;

    if (fd < 0 || fstat(fd, &st) != 0)
        err = work_fail(copying->work, SH_IO, "%.100s: %s", file, strerror(errno));
    if (err == SH_OK && !always)
        err = post_has(copying->post, name, (uint64_t)st.st_size, &there);
    if (err == SH_OK && !there && sha256 == NULL) {
        err = hash_file(copying, fd, hash);
        sha256 = hash;
    }
    if (err == SH_OK && !there) {
        err = post_put(copying->post, name, fd, (uint64_t)st.st_size, sha256);
        copying->sent += (uint64_t)st.st_size;
        work_progress(copying->work, copying->sent, copying->total);
    }
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum sh_err send_stream(struct copying *copying, int folder, const char *id,
                               const json_t *stream)
{
    const json_t *parts = json_object_get(stream, "parts");
    enum sh_err err = SH_OK;
    char name[NAME];

    for (size_t i = 0; i < json_array_size(parts) && err == SH_OK; i++) {
        const json_t *part = json_array_get(parts, i);
        const char *file = json_string_value(json_object_get(part, "name"));
        const char *hash = json_string_value(json_object_get(part, "sha256"));
        if (file == NULL || hash == NULL)
            return work_fail(copying->work, SH_MALFORMED, "the manifest names no files");
        (void)snprintf(name, sizeof(name), "%.64s/%.128s", id, file);
        err = send_file(copying, folder, file, name, hash, false);
    }
    return err;
}

static enum sh_err send_shard(struct copying *copying, const char *shard)
{
    int fd = openat(copying->work->root, shard, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    enum sh_err err = SH_OK;
    char name[NAME];

    while (directory != NULL && err == SH_OK && (entry = readdir(directory)) != NULL) {
        const char *dot = strchr(entry->d_name, '.');
        if (entry->d_name[0] == '.' || (dot != NULL && strcmp(dot, ".sealed") != 0))
            continue;
        (void)snprintf(name, sizeof(name), "%.16s/%.128s", shard, entry->d_name);
        err = send_file(copying, fd, entry->d_name, name,
                        dot == NULL ? entry->d_name : NULL, false);
    }
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum sh_err send_all(struct copying *copying, int folder, const char *id,
                            const json_t *manifest)
{
    json_t *streams = json_object_get(manifest, "streams");
    const char *key;
    json_t *stream;
    char name[NAME];
    enum sh_err err = SH_OK;

    copying->total = record_bytes(manifest);
    for (unsigned i = 0; i < 256 && err == SH_OK; i++) {
        (void)snprintf(name, sizeof(name), ".files/%02x", i);
        err = send_shard(copying, name);
    }
    json_object_foreach(streams, key, stream) if (err == SH_OK) err =
        send_stream(copying, folder, id, stream);
    (void)snprintf(name, sizeof(name), "%.64s/manifest.json", id);
    if (err == SH_OK)
        err = send_file(copying, folder, "manifest.json", name, NULL, true);
    return err;
}

static enum sh_err copy_to(struct work *work, const char *place, int folder,
                           const json_t *manifest, json_t *copies)
{
    const char *id = json_string_value(json_object_get(manifest, "id"));
    struct work own = *work; /* one place's trouble is not another's */
    struct copying copying = {.work = &own};
    json_t *copy;
    enum sh_err err = post_open(&own, place, &copying.post);

    if (err == SH_OK)
        err = send_all(&copying, folder, id, manifest);
    if (err == SH_OK)
        err = post_sweep(copying.post);
    post_close(&copying.post);
    copy = json_pack("{s:s, s:b, s:I}", "place", place, "ok", (int)(err == SH_OK),
                     "sent_bytes", (json_int_t)copying.sent);
    if (err != SH_OK) {
        json_object_set_new(copy, "error", json_string(own.error));
        err = work_fail(work, err, "%.100s: %.300s", place, own.error);
    }
    json_array_append_new(copies, copy);
    return err;
}

enum sh_err place_copy(struct work *work, const char *id, json_t **copies)
{
    char *list = sh_strdup(work->all->backup.places);
    char *rest = NULL;
    json_t *manifest = NULL;
    int folder = -1;
    enum sh_err err = list ? root_manifest(work, id, &folder, &manifest) : SH_NOMEM;
    enum sh_err first = err;

    work_stage(work, "copy");
    *copies = err == SH_OK ? json_array() : NULL;
    for (char *place = err == SH_OK ? strtok_r(list, ", ", &rest) : NULL; place != NULL;
         place = strtok_r(NULL, ", ", &rest)) {
        err = copy_to(work, place, folder, manifest, *copies);
        first = first == SH_OK ? err : first;
    }
    if (folder >= 0)
        (void)close(folder);
    json_decref(manifest);
    sh_free(list);
    return first;
}

/* --- fetching --------------------------------------------------------------------- */

struct fetching {
    struct work *work;
    struct post *post;
    int folder;
    const char *id;
    json_t *list; /* of originals that are not here */
    uint64_t originals;
};

static enum sh_err fetch_file(struct fetching *fetching, int folder, const char *file,
                              const char *name)
{
    int fd =
        openat(folder, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum sh_err err;

    if (fd < 0)
        return work_fail(fetching->work, SH_IO, "%.100s: %s", file, strerror(errno));
    err = post_get(fetching->post, name, fd);
    if (err == SH_OK && fsync(fd) != 0)
        err = work_fail(fetching->work, SH_IO, "%.100s: %s", file, strerror(errno));
    (void)close(fd);
    return err;
}

static enum sh_err fetch_stream(struct fetching *fetching, const json_t *stream)
{
    const json_t *parts = json_object_get(stream, "parts");
    enum sh_err err = SH_OK;
    char name[NAME];

    for (size_t i = 0; i < json_array_size(parts) && err == SH_OK; i++) {
        const char *file =
            json_string_value(json_object_get(json_array_get(parts, i), "name"));
        if (file == NULL || file[0] == '.' || strchr(file, '/') != NULL)
            return work_fail(fetching->work, SH_MALFORMED, "the manifest names no files");
        (void)snprintf(name, sizeof(name), "%.64s/%.128s", fetching->id, file);
        err = fetch_file(fetching, fetching->folder, file, name);
    }
    return err == SH_OK ? source_check(fetching->work, fetching->folder, stream) : err;
}

static enum sh_err fetch_original(void *arg, const char *name, uint64_t size)
{
    struct fetching *fetching = arg;
    char path[NAME];
    char aside[NAME];
    struct stat st;
    bool fits = strlen(name) >= 67 && strlen(name) <= 74 && name[2] == '/' &&
                strchr(name + 3, '/') == NULL && name[0] != '.' && name[3] != '.';

    (void)snprintf(path, sizeof(path), ".files/%.128s", name);
    if (!fits || (fstatat(fetching->work->root, path, &st, 0) == 0 &&
                  (uint64_t)st.st_size == size))
        return SH_OK;
    (void)mkdirat(fetching->work->root, ".files", 0700); /* open() tells */
    (void)snprintf(aside, sizeof(aside), ".files/%.2s", name);
    (void)mkdirat(fetching->work->root, aside, 0700);
    /* it is fetched when the list has ended: one call at a time */
    return json_array_append_new(fetching->list, json_string(path)) == 0 ? SH_OK
                                                                         : SH_NOMEM;
}

static enum sh_err fetch_originals(struct fetching *fetching)
{
    char aside[NAME];
    int root = fetching->work->root;
    enum sh_err err = post_list(fetching->post, ".files", fetch_original, fetching);

    for (size_t i = 0; i < json_array_size(fetching->list) && err == SH_OK; i++) {
        const char *path = json_string_value(json_array_get(fetching->list, i));
        (void)snprintf(aside, sizeof(aside), "%.200s.making", path);
        err = fetch_file(fetching, root, aside, path);
        if (err == SH_OK && renameat(root, aside, root, path) != 0)
            err = work_fail(fetching->work, SH_IO, "%.100s: %s", path, strerror(errno));
        if (err != SH_OK)
            (void)unlinkat(root, aside, 0);
        fetching->originals += err == SH_OK;
    }
    return err;
}

static enum sh_err fetch_set(struct fetching *fetching)
{
    json_t *manifest = NULL;
    json_t *streams;
    const char *key;
    json_t *stream;
    char name[NAME];
    enum sh_err err;

    (void)snprintf(name, sizeof(name), "%.64s/manifest.json", fetching->id);
    err = fetch_file(fetching, fetching->folder, "manifest.json", name);
    if (err == SH_OK)
        err = record_read(fetching->work, fetching->folder, fetching->id, &manifest);
    streams = json_object_get(manifest, "streams");
    json_object_foreach(streams, key, stream) if (err == SH_OK) err =
        fetch_stream(fetching, stream);
    json_decref(manifest);
    return err == SH_OK ? fetch_originals(fetching) : err;
}

static enum sh_err free_name(struct work *work, const char *id)
{
    struct stat st;

    if (!root_id_ok(id))
        return work_fail(work, SH_INVALID, "%.100s is no name of a set", id);
    if (fstatat(work->root, id, &st, 0) == 0)
        return work_fail(work, SH_CONFLICT, "%s is here already", id);
    return SH_OK;
}

enum sh_err place_fetch(struct work *work, const char *id, const char *from,
                        json_t **result)
{
    struct fetching fetching = {
        .work = work, .folder = -1, .id = id, .list = json_array()};
    char making[BACKUP_ID + 16];
    uint64_t log_files = 0;
    enum sh_err err = free_name(work, id);

    work_stage(work, "fetch");
    *result = NULL;
    if (err == SH_OK)
        err = post_open(work, from, &fetching.post);
    if (err == SH_OK)
        err = root_make(work, id, &fetching.folder);
    if (err == SH_OK) {
        err = fetch_set(&fetching);
        if (err == SH_OK)
            err = root_keep(work, id, fetching.folder);
        (void)close(fetching.folder);
        (void)snprintf(making, sizeof(making), ".making-%.64s", id);
        if (err != SH_OK && root_remove(work, making) != SH_OK)
            work_say(work, "%s is left to the next run to remove", making);
    }
    if (err == SH_OK)
        err = log_fetch(work, fetching.post, id, &log_files);
    if (err == SH_OK)
        *result =
            json_pack("{s:s, s:I, s:I}", "id", id, "originals",
                      (json_int_t)fetching.originals, "log_files", (json_int_t)log_files);
    post_close(&fetching.post);
    json_decref(fetching.list);
    return err;
}
