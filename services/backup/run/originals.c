#include "services/backup/run/originals.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/pipeline/sink.h"
#include "services/backup/pipeline/source.h"
#include "services/backup/run/original_file.h"
#include "services/backup/run/root.h"
#include "services/backup/run/stored.h"
#include "shared/buffer.h"

enum { LINE = SH_FILE_HASH_TEXT + 24 };

/* --- the list: "HASH SIZE\n" … ---------------------------------------------------- */

static enum sh_err collect(void *arg, struct sh_bytes bytes)
{
    struct sh_buffer *list = arg;

    sh_buffer_append(list, bytes.data, bytes.len);
    return list->err;
}

typedef enum sh_err each_fn(void *arg, const char *hash, uint64_t size);

static enum sh_err each_line(struct work *work, char *text, each_fn *each, void *arg)
{
    char *rest = NULL;
    enum sh_err err = SH_OK;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL && err == SH_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        char *space = strchr(line, ' ');
        if (space == NULL)
            return work_fail(work, SH_MALFORMED, "the list of originals makes no sense");
        *space = '\0';
        if (!sh_file_hash_ok(sh_bytes_of(line)))
            return work_fail(work, SH_MALFORMED, "the list of originals makes no sense");
        err = each(arg, line, strtoull(space + 1, NULL, 10));
    }
    return err;
}

/* A set without such a list has no originals. */
static enum sh_err each_original(struct work *work, int folder, const json_t *manifest,
                                 each_fn *each, void *arg)
{
    const json_t *stream = json_object_get(json_object_get(manifest, "streams"), "files");
    struct sh_buffer list = {0};
    enum sh_err err = SH_OK;

    if (stream != NULL)
        err = source_read(work, folder, stream, collect, &list);
    sh_buffer_append(&list, "", 1);
    if (err == SH_OK)
        err = list.err;
    if (err == SH_OK)
        err = each_line(work, list.data, each, arg);
    sh_buffer_free(&list);
    return err;
}

static enum sh_err each_wanted(struct work *work, const json_t *wanted, each_fn *each,
                               void *arg)
{
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < json_array_size(wanted) && err == SH_OK; i++) {
        const char *text = json_string_value(json_array_get(wanted, i));
        char line[LINE];
        (void)snprintf(line, sizeof(line), "%s", text ? text : "");
        err = each_line(work, line, each, arg);
    }
    return err;
}

/* --- saving ----------------------------------------------------------------------- */

struct saving {
    struct work *work;
    struct stored *stored;
    struct sink *list;
    uint64_t files, bytes, copied, copied_bytes, wanted;
    json_t *missing;
    struct original *original;
};

static enum sh_err on_piece(void *arg, struct sh_bytes bytes)
{
    struct saving *saving = arg;

    saving->copied_bytes += bytes.len;
    return original_add(saving->original, bytes);
}

static enum sh_err copy_one(struct saving *saving, const char *hash, uint64_t size)
{
    enum sh_err err = sink_room(saving->work, saving->work->root, size);

    if (err == SH_OK)
        err = original_begin(saving->work, hash, &saving->original);
    if (err == SH_OK)
        err = stored_read(saving->stored, hash, on_piece, saving);
    if (err == SH_OK)
        err = original_keep(saving->original);
    original_close(&saving->original);
    saving->copied += err == SH_OK;
    return err;
}

static enum sh_err save_one(struct saving *saving, const char *line)
{
    char hash[SH_FILE_HASH_TEXT] = "";
    char text[LINE];
    uint64_t size = 0;
    enum sh_err err = SH_OK;

    (void)snprintf(hash, sizeof(hash), "%s", line);
    if (strlen(line) > SH_FILE_HASH_TEXT)
        size = strtoull(line + SH_FILE_HASH_TEXT, NULL, 10);
    if (!sh_file_hash_ok(sh_bytes_of(hash)))
        return work_fail(saving->work, SH_MALFORMED, "a document names no such file");
    if (!original_there(saving->work, hash))
        err = copy_one(saving, hash, size);
    if (err == SH_NOTFOUND) { /* its document was removed since the snapshot */
        json_array_append_new(saving->missing, json_string(hash));
        return SH_OK;
    }
    saving->files++;
    saving->bytes += size;
    int len = snprintf(text, sizeof(text), "%s %llu\n", hash, (unsigned long long)size);
    if (err == SH_OK)
        err = sink_add(saving->list, (struct sh_bytes){text, (size_t)len});
    work_progress(saving->work, saving->files, saving->wanted);
    return err == SH_OK ? work_go_on(saving->work) : err;
}

static enum sh_err save_all(struct saving *saving, const json_t *wanted)
{
    enum sh_err err = SH_OK;

    saving->wanted = json_array_size(wanted);
    for (size_t i = 0; i < json_array_size(wanted) && err == SH_OK; i++) {
        const char *line = json_string_value(json_array_get(wanted, i));
        err = save_one(saving, line ? line : "");
    }
    return err;
}

static enum sh_err end_saving(struct saving *saving, json_t *manifest)
{
    json_t *stream = NULL;
    enum sh_err err = sink_finish(saving->list, &stream);

    if (err != SH_OK)
        return err;
    json_object_set_new(stream, "format", json_string("lines: SHA-256 and size"));
    json_object_set_new(json_object_get(manifest, "streams"), "files", stream);
    json_object_set_new(
        manifest, "originals",
        json_pack("{s:I, s:I, s:I, s:I, s:O}", "files", (json_int_t)saving->files,
                  "bytes", (json_int_t)saving->bytes, "copied",
                  (json_int_t)saving->copied, "copied_bytes",
                  (json_int_t)saving->copied_bytes, "missing", saving->missing));
    return SH_OK;
}

enum sh_err originals_save(struct work *work, int folder, const json_t *wanted,
                           json_t *manifest)
{
    struct saving saving = {.work = work, .missing = json_array()};
    json_t *all = NULL;
    enum sh_err err = stored_open(work, &saving.stored);

    work_stage(work, "files");
    if (err == SH_OK && wanted == NULL) {
        err = stored_list(saving.stored, &all);
        wanted = all;
    }
    if (err == SH_OK)
        err = sink_open_plain(work, folder, "files", &saving.list);
    if (err == SH_OK)
        err = save_all(&saving, wanted);
    if (err == SH_OK)
        err = end_saving(&saving, manifest);
    sink_close(&saving.list);
    stored_close(&saving.stored);
    json_decref(saving.missing);
    json_decref(all);
    return err;
}

/* --- checking --------------------------------------------------------------------- */

struct checking {
    struct work *work;
    struct stored *stored; /* NULL: nothing is put back */
    uint64_t files, bytes, restored;
    json_t *damaged;
};

static enum sh_err check_one(void *arg, const char *hash, uint64_t size)
{
    struct checking *checking = arg;
    enum sh_err err = original_read(checking->work, hash, NULL, NULL);

    checking->files++;
    checking->bytes += size;
    work_progress(checking->work, checking->files, 0);
    if (err != SH_NOTFOUND && err != SH_MALFORMED)
        return err;
    json_array_append_new(checking->damaged, json_string(hash));
    return SH_OK;
}

static json_t *result_of(const struct checking *checking)
{
    return json_pack("{s:I, s:I, s:I, s:O}", "files", (json_int_t)checking->files,
                     "bytes", (json_int_t)checking->bytes, "restored",
                     (json_int_t)checking->restored, "damaged", checking->damaged);
}

enum sh_err originals_check(struct work *work, int folder, const json_t *manifest,
                            json_t **result)
{
    struct checking checking = {.work = work, .damaged = json_array()};
    enum sh_err err = each_original(work, folder, manifest, check_one, &checking);

    *result = err == SH_OK ? result_of(&checking) : NULL;
    json_decref(checking.damaged);
    return err;
}

static enum sh_err on_original(void *arg, struct sh_bytes bytes)
{
    return stored_add(arg, bytes);
}

static enum sh_err restore_one(void *arg, const char *hash, uint64_t size)
{
    struct checking *checking = arg;
    bool there = false;
    enum sh_err err = stored_has(checking->stored, hash, &there);

    checking->files++;
    checking->bytes += size;
    if (err == SH_OK && !there) {
        err = stored_begin(checking->stored);
        if (err == SH_OK)
            err = original_read(checking->work, hash, on_original, checking->stored);
        if (err == SH_OK)
            err = stored_keep(checking->stored, hash);
        checking->restored += err == SH_OK;
    }
    work_progress(checking->work, checking->files, 0);
    if (err != SH_NOTFOUND && err != SH_MALFORMED)
        return err;
    json_array_append_new(checking->damaged, json_string(hash));
    return SH_OK;
}

enum sh_err originals_restore(struct work *work, int folder, const json_t *manifest,
                              const json_t *wanted, json_t **result)
{
    struct checking checking = {.work = work, .damaged = json_array()};
    enum sh_err err = stored_open(work, &checking.stored);

    *result = NULL;
    if (err == SH_OK)
        err = wanted != NULL
                  ? each_wanted(work, wanted, restore_one, &checking)
                  : each_original(work, folder, manifest, restore_one, &checking);
    stored_close(&checking.stored);
    if (err == SH_OK)
        *result = result_of(&checking);
    json_decref(checking.damaged);
    return err;
}

/* --- removing what no set names --------------------------------------------------- */

static enum sh_err note_name(void *arg, const char *hash, uint64_t size)
{
    (void)size;
    return json_object_set_new(arg, hash, json_true()) == 0 ? SH_OK : SH_NOMEM;
}

static enum sh_err names_of_set(struct work *work, const char *id, json_t *names)
{
    json_t *manifest = NULL;
    int fd = -1;
    enum sh_err err = root_manifest(work, id, &fd, &manifest);

    if (err == SH_OK)
        err = each_original(work, fd, manifest, note_name, names);
    if (fd >= 0)
        (void)close(fd);
    json_decref(manifest);
    return err;
}

static enum sh_err names_of_sets(struct work *work, const json_t *leaving, json_t *names)
{
    struct sets sets;
    enum sh_err err = sets_read(work->all->backup.directory, &sets);

    if (err == SH_OK && sets.unreadable > 0)
        err = work_fail(work, SH_MALFORMED,
                        "a manifest cannot be read: originals are all kept");
    for (size_t i = 0; err == SH_OK && i < sets.count; i++) {
        const char *id = sets.list[i].id.data;
        if (json_object_get(leaving, id) == NULL)
            err = names_of_set(work, id, names);
    }
    sets_free(&sets);
    return err;
}

enum sh_err originals_named(struct work *work, const json_t *leaving, json_t **names)
{
    enum sh_err err;

    *names = json_object();
    err = *names ? names_of_sets(work, leaving, *names) : SH_NOMEM;
    if (err != SH_OK) {
        json_decref(*names);
        *names = NULL;
    }
    return err;
}

static void prune_folder(struct work *work, DIR *folder, const json_t *names, bool dry,
                         uint64_t *removed)
{
    const struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        char hash[SH_FILE_HASH_TEXT];
        (void)snprintf(hash, sizeof(hash), "%.64s", entry->d_name);
        if (!sh_file_hash_ok(sh_bytes_of(hash)) || json_object_get(names, hash) != NULL)
            continue;
        if (!dry)
            original_remove(work, hash);
        ++*removed;
    }
}

uint64_t originals_sweep(struct work *work, const json_t *names, bool dry)
{
    uint64_t removed = 0;

    for (unsigned i = 0; i < 256; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), ".files/%02x", i);
        int fd = openat(work->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
        if (folder != NULL) {
            prune_folder(work, folder, names, dry, &removed);
            (void)closedir(folder);
        } else if (fd >= 0) {
            (void)close(fd);
        }
    }
    return removed;
}
