/* The commands that bring something back, and the one that makes it possible up to a
 * moment. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/physical/drill.h"
#include "services/backup/restore/restore.h"
#include "services/backup/run/jobs.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/verify/verify.h"
#include "services/backup/wal/stream.h"

static enum sh_err restore_files(struct work *work, const char *id, json_t **result)
{
    json_t *manifest = NULL;
    int folder = -1;
    enum sh_err err = root_manifest(work, id, &folder, &manifest);

    work_stage(work, "files");
    if (err == SH_OK)
        err = originals_restore(work, folder, manifest, result);
    if (folder >= 0)
        (void)close(folder);
    json_decref(manifest);
    return err;
}

/* A server cannot change its own data directory: a new one is made, and people switch. */
static enum sh_err restore_beside(struct work *work, const struct job_order *order,
                                  json_t **result)
{
    const char *where = work->all->backup.restore_dir;
    char path[BACKUP_PATH];

    if (where[0] == '\0')
        return work_fail(work, SH_INVALID,
                         "of a physical set a new data directory is made: say where by "
                         "BACKUP_RESTORE_DIR, or --target directory --directory DIR");
    for (unsigned i = 1; i < 1000; i++) {
        (void)snprintf(path, sizeof(path), "%.1024s/%.64s-%u", where, order->id, i);
        if (access(path, F_OK) != 0)
            break;
    }
    return physical_restore(work, order->id, path, order->until, result);
}

static bool is_physical(struct work *work, const char *id)
{
    struct work quiet = *work;
    json_t *manifest = NULL;
    int folder = -1;
    bool physical = root_manifest(&quiet, id, &folder, &manifest) == SH_OK &&
                    json_object_get(json_object_get(manifest, "streams"), "base") != NULL;

    if (folder >= 0)
        (void)close(folder);
    json_decref(manifest);
    return physical;
}

enum sh_err job_restore(struct work *work, const struct job_order *order, json_t **result)
{
    const char *target = order->target;

    if (order->tables.count > 0 && strcmp(target, "database") != 0)
        return work_fail(work, SH_INVALID, "--table goes with --target database");
    if (order->collections.count > 0 && strcmp(target, "live") != 0)
        return work_fail(work, SH_INVALID, "--collection goes with --target live");

    if (strcmp(target, "scratch") == 0)
        return drill_set(work, order->id, order->until, result);
    if (strcmp(target, "directory") == 0 && order->directory == NULL)
        return work_fail(work, SH_INVALID, "--directory: a new data directory");
    if (strcmp(target, "directory") == 0)
        return physical_restore(work, order->id, order->directory, order->until, result);
    if (strcmp(target, "files") == 0)
        return restore_files(work, order->id, result);
    if (strcmp(target, "database") == 0) {
        if (order->database == NULL || order->database[0] == '\0' ||
            strlen(order->database) > 63)
            return work_fail(work, SH_INVALID, "--database: the name of a new database");
        return order->tables.count > 0
                   ? restore_tables(work, order->id, order->database, &order->tables,
                                    result)
                   : restore_database(work, order->id, order->database, result);
    }
    if (strcmp(target, "live") != 0)
        return work_fail(work, SH_INVALID,
                         "--target is scratch, database, directory, live or files");
    if (order->confirm == NULL || strcmp(order->confirm, order->id) != 0)
        return work_fail(work, SH_INVALID, "--confirm must repeat the set's id");
    if (order->collections.count > 0)
        return restore_collections(work, order->id, &order->collections, result);
    if (is_physical(work, order->id))
        return restore_beside(work, order, result);
    if (order->until[0] != '\0')
        return work_fail(work, SH_INVALID, "--until needs a physical set");
    return restore_live(work, order->id, result);
}

enum sh_err job_repair(struct work *work, const struct job_order *order, json_t **result)
{
    (void)order;
    return restore_repair(work, result);
}

enum sh_err job_undo(struct work *work, const struct job_order *order, json_t **result)
{
    if (order->confirm == NULL || strcmp(order->confirm, "undo") != 0)
        return work_fail(work, SH_INVALID, "--confirm must be undo");
    return restore_undo(work, result);
}

enum sh_err job_stream(struct work *work, const struct job_order *order, json_t **result)
{
    (void)order;
    (void)result;
    return stream_run(work);
}
