#include "services/backup/restore/restore.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/restore/journal.h"
#include "services/backup/restore/restore_internal.h"
#include "services/backup/run/create.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/tool/database.h"
#include "services/backup/verify/facts.h"
#include "services/backup/verify/verify.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum sh_err restoring_begin(struct work *work, const struct restore_order *order,
                            struct restoring *restoring)
{
    enum sh_err err;

    *restoring = (struct restoring){.work = work, .id = order->id, .folder = -1};
    restoring->result = json_pack("{s:s}", "id", order->id);
    err = restoring->result
              ? root_manifest(work, order->id, &restoring->folder, &restoring->manifest)
              : SH_NOMEM;
    if (err == SH_OK)
        err = origin_open(work, restoring->folder, restoring->manifest, order->until,
                          &restoring->origin);
    if (err == SH_OK)
        err = swap_open(work, &restoring->swap);
    return err;
}

enum sh_err restoring_end(struct restoring *restoring, enum sh_err err, json_t **result)
{
    *result = err == SH_OK ? json_incref(restoring->result) : NULL;
    origin_close(&restoring->origin);
    swap_close(&restoring->swap);
    if (restoring->folder >= 0)
        (void)close(restoring->folder);
    json_decref(restoring->manifest);
    json_decref(restoring->result);
    return err;
}

/* --- beside what is there --------------------------------------------------------- */

static enum sh_err compare(struct restoring *restoring, const char *name)
{
    struct work *work = restoring->work;
    PGconn *conn = database_open(work, restoring->swap.conninfo, name);
    json_t *found = NULL;
    json_t *differences = NULL;
    enum sh_err err = conn != NULL ? facts_count(work, conn, &found) : SH_UNAVAILABLE;

    work_stage(work, "compare");
    if (err == SH_OK) {
        differences = facts_compare(restoring->origin.facts, found);
        err = facts_search(work, conn, restoring->origin.golden, differences);
    }
    if (err == SH_OK && json_array_size(differences) > 0)
        err = work_fail(work, SH_MALFORMED, "what was restored is not what was saved: %s",
                        json_string_value(json_array_get(differences, 0)));
    PQfinish(conn);
    json_decref(found);
    json_decref(differences);
    return err;
}

/* A new database, filled and compared; gone again when that fails. */
static enum sh_err make_beside(struct restoring *restoring, const char *name)
{
    struct work *work = restoring->work;
    double begun = sh_wall_time();
    enum sh_err err = origin_fill(work, &restoring->origin, restoring->result);

    if (err == SH_OK)
        err = swap_create(work, &restoring->swap, name);
    if (err != SH_OK)
        return err;
    work_stage(work, "restore");
    err = load_database(work, &restoring->origin.from, restoring->swap.conninfo, name);
    origin_stop(&restoring->origin);
    if (err == SH_OK)
        err = compare(restoring, name);
    json_object_set_new(restoring->result, "restore_seconds",
                        json_real(sh_wall_time() - begun));
    if (err != SH_OK)
        swap_drop(work, &restoring->swap, name);
    return err;
}

enum sh_err restore_database(struct work *work, const struct restore_order *order,
                             const char *name, json_t **result)
{
    struct restoring restoring;
    enum sh_err err = restoring_begin(work, order, &restoring);

    if (err == SH_OK)
        err = make_beside(&restoring, name);
    if (err == SH_OK) {
        json_object_set_new(restoring.result, "database", json_string(name));
        root_note(work, "Restored %s into the database %s", order->id, name);
    }
    return restoring_end(&restoring, err, result);
}

/* --- in place of it --------------------------------------------------------------- */

/* A physical set is verified by being recovered. */
enum sh_err restoring_verify(struct restoring *restoring)
{
    json_t *result = NULL;
    enum sh_err err;

    if (restoring->origin.recovered != NULL)
        return SH_OK;
    err = verify_set(restoring->work, restoring->id, &result);
    if (err == SH_OK && !json_is_true(json_object_get(result, "ok")))
        err = work_fail(
            restoring->work, SH_MALFORMED, "the set is not good: %s",
            json_string_value(json_array_get(json_object_get(result, "problems"), 0)));
    json_decref(result);
    return err;
}

static enum sh_err save_first(struct restoring *restoring)
{
    char label[160];
    json_t *manifest = NULL;
    enum sh_err err;

    if (!restoring->swap.there) /* a machine that has nothing yet */
        return SH_OK;
    (void)snprintf(label, sizeof(label), "before the restore of %.64s", restoring->id);
    struct create_order order = {
        .kind = "full", .label = label, .by = "restore", .safety = true};
    err = create_set(restoring->work, &order, &manifest);
    if (err == SH_OK)
        json_object_set(restoring->result, "safety_backup",
                        json_object_get(manifest, "id"));
    json_decref(manifest);
    return err;
}

enum sh_err restoring_originals(struct restoring *restoring)
{
    json_t *originals = NULL;
    enum sh_err err =
        originals_restore(restoring->work, restoring->folder, restoring->manifest,
                          restoring->origin.files, &originals);

    if (originals != NULL)
        json_object_set_new(restoring->result, "originals", originals);
    return err;
}

void restoring_name(const struct restoring *restoring, const char *what,
                    char out[static 64])
{
    time_t now = (time_t)sh_wall_time();
    struct tm tm;
    char stamp[32];

    (void)gmtime_r(&now, &tm);
    (void)strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
    (void)snprintf(out, 64, "%.30s_%s_%s", restoring->swap.name, what, stamp);
}

/* What takes long is done beside; others may write until what is there is saved. */
static enum sh_err replace(struct restoring *restoring, const char *beside,
                           const char *previous)
{
    struct work *work = restoring->work;
    double begun = sh_wall_time();
    enum sh_err err = hold_enter(work, &restoring->swap);

    if (err == SH_OK)
        err = save_first(restoring);
    if (err == SH_OK)
        err = restoring_originals(restoring);
    if (err == SH_OK)
        err = swap_in(work, &restoring->swap, beside, previous);
    else
        swap_drop(work, &restoring->swap, beside);
    json_object_set_new(restoring->result, "maintenance_seconds",
                        json_real(sh_wall_time() - begun));
    return err;
}

enum sh_err restore_live(struct work *work, const struct restore_order *order,
                         json_t **result)
{
    struct restoring restoring;
    char beside[64];
    char previous[64];
    enum sh_err err = restoring_begin(work, order, &restoring);

    if (err == SH_OK)
        err = restoring_verify(&restoring);
    if (err == SH_OK)
        err = journal_begin(work, order->id);
    if (err == SH_OK) {
        restoring_name(&restoring, "new", beside);
        restoring_name(&restoring, "old", previous);
        (void)snprintf(restoring.swap.set, sizeof(restoring.swap.set), "%s", order->id);
        err = make_beside(&restoring, beside);
        if (err == SH_OK)
            err = replace(&restoring, beside, previous);
        restoring_settle(work, &restoring.swap, err);
    }
    if (err == SH_OK) {
        json_object_set_new(restoring.result, "previous_database",
                            restoring.swap.there ? json_string(previous) : json_null());
        root_note(work, "Restored %s; what was there is the database %s", order->id,
                  restoring.swap.there ? previous : "(there was none)");
    }
    return restoring_end(&restoring, err, result);
}
