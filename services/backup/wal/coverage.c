#include "services/backup/wal/coverage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/manifest/sets.h"
#include "services/backup/run/root.h"
#include "services/backup/wal/shelf.h"

static json_t *manifest_of(struct work *work, const char *id)
{
    struct work quiet = *work;
    json_t *manifest = NULL;
    int folder = -1;

    if (root_manifest(&quiet, id, &folder, &manifest) != SH_OK)
        manifest = NULL;
    if (folder >= 0)
        (void)close(folder);
    return manifest;
}

static const char *about(const json_t *manifest, const char *member)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(manifest, "database"), member));

    return text != NULL ? text : "";
}

void coverage_look(struct work *work, const char *system, struct coverage *out)
{
    struct sets sets;
    struct chain chain = {.store = -1};
    struct work quiet = *work;

    *out = (struct coverage){.base = false};
    if (sets_read(work->all->backup.directory, &sets) == SH_OK)
        for (size_t i = 0; i < sets.count && !out->base; i++) {
            if (!sh_bytes_is(sets.list[i].kind, "physical"))
                continue;
            json_t *manifest = manifest_of(work, sets.list[i].id.data);
            out->base = strcmp(about(manifest, "system_identifier"), system) == 0 &&
                        chain_of_set(&quiet, manifest, &chain) == SH_OK;
            out->missing = chain.missing;
            memcpy(out->first_missing, chain.first_missing, sizeof(out->first_missing));
            chain_close(&chain);
            json_decref(manifest);
        }
    sets_free(&sets);
}

/* --- what may go ------------------------------------------------------------------ */

/* {"SYSTEM": first position that is needed}. NULL: not known. */
static json_t *needed(struct work *work, const json_t *leaving)
{
    json_t *first = json_object();
    struct sets sets;
    bool known =
        sets_read(work->all->backup.directory, &sets) == SH_OK && sets.unreadable == 0;

    for (size_t i = 0; known && i < sets.count; i++) {
        const char *id = sets.list[i].id.data;
        uint64_t lsn;
        if (!sh_bytes_is(sets.list[i].kind, "physical") ||
            json_object_get(leaving, id) != NULL)
            continue;
        json_t *manifest = manifest_of(work, id);
        const char *system = about(manifest, "system_identifier");
        known = system[0] != '\0' && lsn_parse(about(manifest, "wal_start"), &lsn);
        const json_t *other = json_object_get(first, system);
        if (known && (other == NULL || (json_int_t)lsn < json_integer_value(other)))
            json_object_set_new(first, system, json_integer((json_int_t)lsn));
        json_decref(manifest);
    }
    sets_free(&sets);
    if (known)
        return first;
    json_decref(first);
    return NULL;
}

/* A name says which segment it is once the size is known, which every record has. */
static uint64_t size_of(struct work *work, int store, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct work quiet = *work;
        const char *name = json_string_value(json_array_get(names, i));
        json_t *record = NULL;
        uint64_t size = 0;
        if (strchr(name, '.') == NULL &&
            store_record(&quiet, store, name, &record) == SH_OK)
            size = (uint64_t)json_integer_value(
                json_object_get(json_object_get(record, "stream"), "raw_bytes"));
        json_decref(record);
        if (segment_size_ok(size))
            return size;
    }
    return 0;
}

static uint64_t prune_store(struct work *work, const char *system, const json_t *first,
                            bool dry)
{
    const json_t *from = json_object_get(first, system);
    uint64_t removed = 0;
    int store = -1;
    struct segment segment;

    if (store_open(work, system, false, &store) != SH_OK)
        return 0;
    json_t *names = shelf_names(store);
    uint64_t size = size_of(work, store, names);
    uint64_t keep =
        from != NULL && size > 0 ? (uint64_t)json_integer_value(from) / size : UINT64_MAX;
    /* the newest stays in any case: the next set begins behind it */
    for (size_t i = 0; i + 1 < json_array_size(names) && size > 0; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!segment_parse(name, size, &segment) || segment.number >= keep)
            continue;
        if (!dry)
            store_remove(store, name);
        removed++;
    }
    json_decref(names);
    (void)close(store);
    return removed;
}

enum sh_err coverage_prune(struct work *work, const json_t *leaving, bool dry,
                           uint64_t *removed)
{
    int fd = openat(work->root, STORE_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    json_t *first = directory != NULL ? needed(work, leaving) : NULL;
    const struct dirent *entry;

    *removed = 0;
    while (first != NULL && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            *removed += prune_store(work, entry->d_name, first, dry);
    if (*removed > 0 && !dry)
        root_note(work, "removed %llu segments of the log: no set needs them",
                  (unsigned long long)*removed);
    json_decref(first);
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
    return work_go_on(work);
}
