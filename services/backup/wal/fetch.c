#include "services/backup/wal/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/run/root.h"
#include "services/backup/wal/segment.h"
#include "services/backup/wal/store.h"

enum { NAME = 160 };

struct fetching {
    struct work *work;
    struct post *post;
    const char *system;
    uint64_t size;  /* of a segment */
    uint64_t first; /* number of the first that is wanted */
    int store;
    json_t *names; /* without the system: pieces first, records behind them */
    json_t *records;
    uint64_t files;
};

/* "000000010000000000000003.000", "partial-a.json", "00000002.history.json". */
static bool wanted(const struct fetching *fetching, const char *name)
{
    const char *dot = strchr(name, '.');
    char stem[SEGMENT_NAME];
    struct segment segment;
    struct stat st;

    if (dot == NULL || strchr(name, '/') != NULL || strlen(name) >= STORE_NAME ||
        name[0] == '.' || fstatat(fetching->store, name, &st, 0) == 0)
        return false;
    if (strncmp(name, "partial-", 8) == 0 || strncmp(dot, ".history.", 9) == 0)
        return true;
    (void)snprintf(stem, sizeof(stem), "%.*s", (int)(dot - name < 25 ? dot - name : 0),
                   name);
    return segment_parse(stem, fetching->size, &segment) &&
           segment.number >= fetching->first;
}

static enum sh_err on_name(void *arg, const char *name, uint64_t bytes)
{
    struct fetching *fetching = arg;
    size_t len = strlen(fetching->system);

    (void)bytes;
    if (strncmp(name, fetching->system, len) != 0 || name[len] != '/' ||
        !wanted(fetching, name + len + 1))
        return SH_OK;
    name += len + 1;
    json_t *list = strstr(name, ".json") != NULL ? fetching->records : fetching->names;
    return json_array_append_new(list, json_string(name)) == 0 ? SH_OK : SH_NOMEM;
}

static enum sh_err fetch_one(struct fetching *fetching, const char *name)
{
    char from[NAME];
    char aside[STORE_NAME + 8];
    int store = fetching->store;

    (void)snprintf(from, sizeof(from), STORE_ROOT "/%.24s/%.63s", fetching->system, name);
    (void)snprintf(aside, sizeof(aside), "%.63s.coming", name);
    int fd =
        openat(store, aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return work_fail(fetching->work, SH_IO, "%.100s: %s", aside, strerror(errno));
    enum sh_err err = post_get(fetching->post, from, fd);
    if (err == SH_OK && (fsync(fd) != 0 || renameat(store, aside, store, name) != 0))
        err = work_fail(fetching->work, SH_IO, "%.100s: %s", name, strerror(errno));
    (void)close(fd);
    if (err != SH_OK)
        (void)unlinkat(store, aside, 0);
    fetching->files += err == SH_OK;
    return err;
}

static enum sh_err fetch_list(struct fetching *fetching, const json_t *list)
{
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < json_array_size(list) && err == SH_OK; i++) {
        err = fetch_one(fetching, json_string_value(json_array_get(list, i)));
        if (err == SH_OK)
            err = work_go_on(fetching->work);
    }
    return err;
}

static enum sh_err fetch_all(struct fetching *fetching)
{
    enum sh_err err =
        store_open(fetching->work, fetching->system, true, &fetching->store);

    fetching->names = json_array();
    fetching->records = json_array();
    if (err == SH_OK)
        err = post_list(fetching->post, STORE_ROOT, on_name, fetching);
    if (err == SH_OK)
        err = fetch_list(fetching, fetching->names);
    if (err == SH_OK)
        err = fetch_list(fetching, fetching->records);
    json_decref(fetching->names);
    json_decref(fetching->records);
    if (fetching->store >= 0)
        (void)close(fetching->store);
    return err;
}

enum sh_err log_fetch(struct work *work, struct post *post, const char *id,
                      uint64_t *files)
{
    struct fetching fetching = {.work = work, .post = post, .store = -1};
    json_t *manifest = NULL;
    int folder = -1;
    uint64_t start;
    enum sh_err err = root_manifest(work, id, &folder, &manifest);
    const json_t *about = json_object_get(manifest, "database");
    const char *bytes = json_string_value(json_object_get(about, "wal_segment_bytes"));

    *files = 0;
    fetching.system = json_string_value(json_object_get(about, "system_identifier"));
    fetching.size = bytes != NULL ? strtoull(bytes, NULL, 10) : 0;
    if (err == SH_OK && fetching.system != NULL && fetching.size > 0 &&
        segment_size_ok(fetching.size) &&
        lsn_parse(json_string_value(json_object_get(about, "wal_start")), &start)) {
        fetching.first = start / fetching.size;
        err = fetch_all(&fetching);
        *files = fetching.files;
    }
    if (folder >= 0)
        (void)close(folder);
    json_decref(manifest);
    return err;
}
