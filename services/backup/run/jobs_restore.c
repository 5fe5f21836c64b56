/* The commands that bring something back. */
#include <string.h>
#include <unistd.h>

#include "services/backup/restore/restore.h"
#include "services/backup/run/jobs.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/verify/verify.h"

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

enum sh_err job_restore(struct work *work, const struct job_order *order, json_t **result)
{
    const char *target = order->target;

    if (strcmp(target, "scratch") == 0)
        return drill_set(work, order->id, result);
    if (strcmp(target, "files") == 0)
        return restore_files(work, order->id, result);
    if (strcmp(target, "database") == 0) {
        if (order->database == NULL || order->database[0] == '\0' ||
            strlen(order->database) > 63)
            return work_fail(work, SH_INVALID, "--database: the name of a new database");
        return restore_database(work, order->id, order->database, result);
    }
    if (strcmp(target, "live") != 0)
        return work_fail(work, SH_INVALID,
                         "--target is scratch, database, live or files");
    if (order->confirm == NULL || strcmp(order->confirm, order->id) != 0)
        return work_fail(work, SH_INVALID, "--confirm must repeat the set's id");
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
