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
        err = originals_restore(work, folder, manifest, NULL, result);
    if (folder >= 0)
        (void)close(folder);
    json_decref(manifest);
    return err;
}

/* Into another database, or in place of the live one. */
static enum sh_err restore_rows(struct work *work, const struct job_order *order,
                                json_t **result)
{
    const struct restore_order what = {order->id, order->until};

    if (strcmp(order->target, "database") == 0) {
        if (order->database == NULL || order->database[0] == '\0' ||
            strlen(order->database) > 63)
            return work_fail(work, SH_INVALID, "--database: the name of a new database");
        return order->tables.count > 0
                   ? restore_tables(work, &what, order->database, &order->tables, result)
                   : restore_database(work, &what, order->database, result);
    }
    if (order->confirm == NULL || strcmp(order->confirm, order->id) != 0)
        return work_fail(work, SH_INVALID, "--confirm must repeat the set's id");
    return order->collections.count > 0
               ? restore_collections(work, &what, &order->collections, result)
               : restore_live(work, &what, result);
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
    if (strcmp(target, "database") == 0 || strcmp(target, "live") == 0)
        return restore_rows(work, order, result);
    return work_fail(work, SH_INVALID,
                     "--target is scratch, database, directory, live or files");
}

enum sh_err job_repair(struct work *work, const struct job_order *order, json_t **result)
{
    (void)order;
    return restore_repair(work, result);
}

enum sh_err job_undo(struct work *work, const struct job_order *order, json_t **result)
{
    bool redo = order->confirm != NULL && strcmp(order->confirm, "redo") == 0;

    if (!redo && (order->confirm == NULL || strcmp(order->confirm, "undo") != 0))
        return work_fail(work, SH_INVALID, "--confirm must be undo, or redo");
    return restore_undo(work, redo, result);
}

enum sh_err job_stream(struct work *work, const struct job_order *order, json_t **result)
{
    (void)order;
    (void)result;
    return stream_run(work);
}
