#include "services/backup/wal/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/pipeline/digest.h"
#include "shared/clock.h"

enum { RETRY_MS = 10000, NAME = 160, PIECE = 65536 };

/* --- which was the last ----------------------------------------------------------- */

static void mark_name(const struct shelf *shelf, char out[static 64])
{
    uint32_t hash = 2166136261u; /* FNV-1a: a name for a file, no more */

    for (const char *c = shelf->place; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    (void)snprintf(out, 64, ".sent-%08x", hash);
}

static void read_mark(struct shelf *shelf, int store)
{
    char name[64];

    mark_name(shelf, name);
    int fd = openat(store, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, shelf->last, sizeof(shelf->last) - 1) : 0;
    shelf->last[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        (void)close(fd);
}

/* Lost, more is sent again than need be. */
static void write_mark(struct shelf *shelf, int store, const char *segment)
{
    char name[64];

    (void)snprintf(shelf->last, sizeof(shelf->last), "%s", segment);
    mark_name(shelf, name);
    int fd =
        openat(store, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    (void)!write(fd, segment, strlen(segment));
    (void)close(fd);
}

size_t shelves_open(struct work *work, int store, struct shelf list[static SHELVES_MOST])
{
    char text[4097];
    char *rest = NULL;
    size_t count = 0;

    (void)snprintf(text, sizeof(text), "%s", work->all->backup.places);
    for (char *place = strtok_r(text, ", ", &rest); place != NULL && count < SHELVES_MOST;
         place = strtok_r(NULL, ", ", &rest)) {
        list[count] = (struct shelf){.behind = true};
        (void)snprintf(list[count].place, sizeof(list[count].place), "%s", place);
        read_mark(&list[count++], store);
    }
    return count;
}

/* --- sending ---------------------------------------------------------------------- */

static enum sh_err send_file(struct work *work, struct shelf *shelf, int store,
                             const char *system, const char *file, const char *sha256)
{
    char name[NAME];
    struct stat st;
    int fd = openat(store, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum sh_err err;

    if (fd < 0 || fstat(fd, &st) != 0)
        err = work_fail(work, SH_IO, "%.100s: %s", file, strerror(errno));
    else {
        (void)snprintf(name, sizeof(name), STORE_ROOT "/%.24s/%.100s", system, file);
        err = post_put(shelf->post, name, fd, (uint64_t)st.st_size, sha256);
    }
    if (fd >= 0)
        (void)close(fd);
    return err;
}

/* A record is small, and has no checksum but its own mark. */
static enum sh_err send_record(struct work *work, struct shelf *shelf, int store,
                               const char *system, const char *file)
{
    static char text[PIECE * 16];
    struct digest digest = {0};
    char hash[DIGEST_TEXT];
    int fd = openat(store, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    enum sh_err err = n >= 0
                          ? digest_begin(&digest)
                          : work_fail(work, SH_IO, "%.100s: %s", file, strerror(errno));

    if (fd >= 0)
        (void)close(fd);
    if (err != SH_OK)
        return err;
    digest_add(&digest, (struct sh_bytes){text, (size_t)n});
    digest_end(&digest, hash);
    digest_free(&digest);
    return send_file(work, shelf, store, system, file, hash);
}

static enum sh_err send_piece(struct work *work, struct shelf *shelf, int store,
                              const char *system, const char *name)
{
    json_t *record = NULL;
    char file[STORE_NAME + 8];
    enum sh_err err = shelf->post ? SH_OK : post_open(work, shelf->place, &shelf->post);

    if (err == SH_OK)
        err = store_record(work, store, name, &record);
    const json_t *parts = json_object_get(json_object_get(record, "stream"), "parts");
    for (size_t i = 0; i < json_array_size(parts) && err == SH_OK; i++) {
        const json_t *part = json_array_get(parts, i);
        const char *hash = json_string_value(json_object_get(part, "sha256"));
        (void)snprintf(file, sizeof(file), "%.63s.%03u", name, (unsigned)(i % 1000));
        err = send_file(work, shelf, store, system, file, hash ? hash : "");
    }
    (void)snprintf(file, sizeof(file), "%.63s.json", name);
    if (err == SH_OK)
        err = send_record(work, shelf, store, system, file);
    json_decref(record);
    return err;
}

static bool try_piece(struct work *work, struct shelf *shelf, int store,
                      const char *system, const char *name)
{
    struct work own = *work; /* a place's trouble is not the stream's */
    enum sh_err err;

    own.error[0] = '\0';
    if (shelf->post != NULL) /* it tells its errors to whom it was opened for */
        post_close(&shelf->post);
    err = send_piece(&own, shelf, store, system, name);
    post_close(&shelf->post);
    if (err == SH_OK) {
        shelf->error[0] = '\0';
        return true;
    }
    (void)snprintf(shelf->error, sizeof(shelf->error), "%.250s", own.error);
    shelf->behind = true;
    shelf->retry_ms = sh_now_ms() + RETRY_MS;
    return false;
}

bool shelf_send(struct work *work, struct shelf *shelf, int store, const char *system,
                const char *name)
{
    if (shelf->behind || !try_piece(work, shelf, store, system, name))
        return false;
    if (strncmp(name, "partial", 7) != 0 && strchr(name, '.') == NULL)
        write_mark(shelf, store, name);
    return true;
}

/* --- catching up ------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a),
                  json_string_value(*(json_t *const *)b));
}

/* Jansson cannot sort. */
static json_t *sorted(const json_t *names)
{
    size_t count = json_array_size(names);
    json_t **list = (json_t **)calloc(count + 1, sizeof(void *));
    json_t *out = json_array();

    for (size_t i = 0; list != NULL && i < count; i++)
        list[i] = json_array_get(names, i);
    if (list != NULL && count > 0)
        qsort((void *)list, count, sizeof(void *), by_name);
    for (size_t i = 0; list != NULL && i < count; i++)
        json_array_append(out, list[i]);
    free((void *)list);
    return out;
}

json_t *shelf_names(int store)
{
    int fd = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    json_t *names = json_array();
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        const char *end = strstr(entry->d_name, ".json");
        size_t len = end != NULL ? (size_t)(end - entry->d_name) : 0;
        if (end != NULL && strcmp(end, ".json") == 0 &&
            strspn(entry->d_name, "0123456789ABCDEF") >= 8)
            json_array_append_new(names, json_stringn(entry->d_name, len));
    }
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
    json_t *out = sorted(names);
    json_decref(names);
    return out;
}

void shelf_catch_up(struct work *work, struct shelf *shelf, int store, const char *system)
{
    bool good = true;

    if (!shelf->behind || sh_now_ms() < shelf->retry_ms)
        return;
    json_t *names = shelf_names(store);
    for (size_t i = 0; good && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        bool history = strchr(name, '.') != NULL;
        if (!history && strcmp(name, shelf->last) <= 0)
            continue;
        good = try_piece(work, shelf, store, system, name);
        if (good && !history)
            write_mark(shelf, store, name);
        good = good && !work_cancelled(work);
    }
    json_decref(names);
    shelf->behind = !good;
}

void shelf_close(struct shelf *shelf)
{
    post_close(&shelf->post);
}
