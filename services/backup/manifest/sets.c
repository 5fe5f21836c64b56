#include "services/backup/manifest/sets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/backup/manifest/manifest.h"
#include "shared/log.h"

/* --- one set ---------------------------------------------------------------------- */

static enum sh_err read_file(int folder, struct sh_arena *arena, struct sh_bytes *out)
{
    int fd = openat(folder, "manifest.json", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = fd >= 0 ? sh_arena_alloc(arena, MANIFEST_BYTES_MAX + 1) : NULL;
    enum sh_err err = fd >= 0 ? SH_NOMEM : SH_IO;
    size_t len = 0;
    ssize_t got = 0;

    if (text != NULL) {
        while (len <= MANIFEST_BYTES_MAX &&
               (got = read(fd, text + len, MANIFEST_BYTES_MAX + 1 - len)) > 0)
            len += (size_t)got;
        err = got < 0 ? SH_IO : (len > MANIFEST_BYTES_MAX ? SH_TOOBIG : SH_OK);
        *out = (struct sh_bytes){text, len};
    }
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum sh_err read_set(int root, const char *name, struct sh_arena *arena,
                            struct backup_set *out, char fault[static 128])
{
    int folder = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sh_arena scratch = {0};
    struct sh_bytes json;
    enum sh_err err;

    if (folder < 0) {
        (void)snprintf(fault, 128, "%s", strerror(errno));
        return errno == ENOTDIR ? SH_NOTFOUND : SH_IO;
    }
    err = read_file(folder, &scratch, &json);
    if (err == SH_OK)
        err = manifest_parse(json, name, arena, out, fault);
    else
        (void)snprintf(fault, 128, "%s", sh_err_text(err));
    (void)close(folder);
    sh_arena_free(&scratch);
    return err;
}

/* --- all of them ------------------------------------------------------------------ */

static int newest_first(const void *a, const void *b)
{
    const struct backup_set *x = a;
    const struct backup_set *y = b;
    int order;

    if (x->created_at != y->created_at)
        return x->created_at > y->created_at ? -1 : 1;
    order = memcmp(y->id.data, x->id.data, x->id.len < y->id.len ? x->id.len : y->id.len);
    return order != 0 ? order : (x->id.len < y->id.len) - (x->id.len > y->id.len);
}

static enum sh_err add_set(struct sets *sets, int root, const char *name)
{
    char fault[128] = "";
    struct backup_set set;
    enum sh_err err = read_set(root, name, &sets->arena, &set, fault);

    if (err == SH_OK)
        sets->list[sets->count++] = set;
    if (err == SH_OK || err == SH_NOTFOUND || err == SH_NOMEM)
        return err == SH_NOMEM ? err : SH_OK; /* a plain file is none of ours */
    sets->unreadable++;
    sh_warning(NULL, "backup set %s: manifest.json is unusable: %s", name, fault);
    return SH_OK;
}

static enum sh_err read_sets(DIR *directory, struct sets *sets)
{
    enum sh_err err = SH_OK;
    const struct dirent *entry;

    while (err == SH_OK && sets->count < SETS_MAX && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.') /* hidden: a set being written */
            err = add_set(sets, dirfd(directory), entry->d_name);
    qsort(sets->list, sets->count, sizeof(*sets->list), newest_first);
    return err;
}

enum sh_err sets_read(const char *path, struct sets *sets)
{
    DIR *directory = opendir(path);
    enum sh_err err;

    *sets = (struct sets){0};
    if (directory == NULL)
        return errno == ENOENT ? SH_OK : SH_IO;
    sets->list = sh_arena_array(&sets->arena, SETS_MAX, sizeof(*sets->list));
    err = sets->list ? read_sets(directory, sets) : SH_NOMEM;
    closedir(directory);
    return err;
}

void sets_free(struct sets *sets)
{
    sh_arena_free(&sets->arena);
    *sets = (struct sets){0};
}

bool sets_unproven(const struct sets *sets)
{
    for (size_t i = 0; i < sets->count; i++) /* the newest comes first */
        if (sh_bytes_is(sets->list[i].kind, "full") && !sets->list[i].safety)
            return !sets->list[i].verified;
    return false;
}

/* --- on another thread ------------------------------------------------------------ */

struct reading {
    uv_work_t work;
    const char *directory;
    sets_done_fn *done;
    void *arg;
    struct sets sets;
    enum sh_err err;
};

static void on_thread(uv_work_t *work)
{
    struct reading *reading = work->data;

    reading->err = sets_read(reading->directory, &reading->sets);
}

static void on_read(uv_work_t *work, int status)
{
    struct reading *reading = work->data;

    reading->done(reading->arg, status != 0 ? sh_err_from_uv(status) : reading->err,
                  &reading->sets);
    sets_free(&reading->sets);
    sh_free(reading);
}

enum sh_err sets_read_later(uv_loop_t *loop, const char *directory, sets_done_fn *done,
                            void *arg)
{
    struct reading *reading = sh_alloc(sizeof(*reading));
    int rc;

    if (reading == NULL)
        return SH_NOMEM;
    reading->work.data = reading;
    reading->directory = directory;
    reading->done = done;
    reading->arg = arg;
    rc = uv_queue_work(loop, &reading->work, on_thread, on_read);
    if (rc != 0)
        sh_free(reading);
    return sh_err_from_uv(rc);
}
