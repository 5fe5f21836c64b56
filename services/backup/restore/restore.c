#include "services/backup/restore/restore.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "services/backup/restore/bring.h"
#include "services/backup/restore/journal.h"
#include "services/backup/restore/load.h"
#include "services/backup/restore/swap.h"
#include "services/backup/run/create.h"
#include "services/backup/run/originals.h"
#include "services/backup/run/root.h"
#include "services/backup/tool/database.h"
#include "services/backup/verify/facts.h"
#include "services/backup/verify/verify.h"
#include "shared/clock.h"
#include "shared/mem.h"

struct restoring {
    struct work *work;
    const char *id;
    int folder;
    json_t *manifest;
    struct swap swap;
    json_t *result;
};

static enum sh_err begin(struct work *work, const char *id, struct restoring *restoring)
{
    enum sh_err err;

    *restoring = (struct restoring){.work = work, .id = id, .folder = -1};
    restoring->result = json_pack("{s:s}", "id", id);
    err = restoring->result
              ? root_manifest(work, id, &restoring->folder, &restoring->manifest)
              : SH_NOMEM;
    if (err == SH_OK)
        err = swap_open(work, &restoring->swap);
    return err;
}

/* The door is open and nothing lies beside; the journal goes. */
static enum sh_err put_right(struct work *work, struct swap *swap)
{
    enum sh_err err = hold_repair(work, swap);

    if (err == SH_OK) {
        swap_drop_halves(work, swap);
        journal_end(work);
    }
    return err;
}

/* Ends what journal_begin() began. */
static void settle(struct work *work, struct swap *swap, enum sh_err err)
{
    struct work quiet = *work;

    if (err == SH_OK)
        journal_end(work);
    else if (put_right(&quiet, swap) != SH_OK)
        work_say(work, "the next run puts right what this one leaves: %s", quiet.error);
}

static enum sh_err finish(struct restoring *restoring, enum sh_err err, json_t **result)
{
    *result = err == SH_OK ? json_incref(restoring->result) : NULL;
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
    json_t *golden = NULL;
    enum sh_err err = conn != NULL ? facts_count(work, conn, &found) : SH_UNAVAILABLE;

    work_stage(work, "compare");
    if (err == SH_OK) {
        differences = facts_compare(json_object_get(restoring->manifest, "facts"), found);
        err = load_golden(work, restoring->folder, restoring->manifest, &golden);
    }
    if (err == SH_OK)
        err = facts_search(work, conn, golden, differences);
    if (err == SH_OK && json_array_size(differences) > 0)
        err = work_fail(work, SH_MALFORMED, "what was restored is not what was saved: %s",
                        json_string_value(json_array_get(differences, 0)));
    PQfinish(conn);
    json_decref(golden);
    json_decref(found);
    json_decref(differences);
    return err;
}

/* A new database, filled and compared; gone again when that fails. */
static enum sh_err make_beside(struct restoring *restoring, const char *name)
{
    struct work *work = restoring->work;
    double begun = sh_wall_time();
    enum sh_err err = swap_create(work, &restoring->swap, name);

    if (err != SH_OK)
        return err;
    work_stage(work, "restore");
    err = load_database(work, restoring->folder, restoring->manifest,
                        restoring->swap.conninfo, name);
    if (err == SH_OK)
        err = compare(restoring, name);
    json_object_set_new(restoring->result, "restore_seconds",
                        json_real(sh_wall_time() - begun));
    if (err != SH_OK)
        swap_drop(work, &restoring->swap, name);
    return err;
}

enum sh_err restore_database(struct work *work, const char *id, const char *name,
                             json_t **result)
{
    struct restoring restoring;
    enum sh_err err = begin(work, id, &restoring);

    if (err == SH_OK)
        err = make_beside(&restoring, name);
    if (err == SH_OK) {
        json_object_set_new(restoring.result, "database", json_string(name));
        root_note(work, "Restored %s into the database %s", id, name);
    }
    return finish(&restoring, err, result);
}

/* --- in place of it --------------------------------------------------------------- */

static enum sh_err verify_first(struct restoring *restoring)
{
    json_t *result = NULL;
    enum sh_err err = verify_set(restoring->work, restoring->id, &result);

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

static enum sh_err bring_originals(struct restoring *restoring)
{
    json_t *originals = NULL;
    enum sh_err err = originals_restore(restoring->work, restoring->folder,
                                        restoring->manifest, &originals);

    if (originals != NULL)
        json_object_set_new(restoring->result, "originals", originals);
    return err;
}

static void name_beside(const struct restoring *restoring, const char *what,
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
        err = bring_originals(restoring);
    if (err == SH_OK)
        err = swap_in(work, &restoring->swap, beside, previous);
    else
        swap_drop(work, &restoring->swap, beside);
    json_object_set_new(restoring->result, "maintenance_seconds",
                        json_real(sh_wall_time() - begun));
    return err;
}

enum sh_err restore_live(struct work *work, const char *id, json_t **result)
{
    struct restoring restoring;
    char beside[64];
    char previous[64];
    enum sh_err err = begin(work, id, &restoring);

    if (err == SH_OK)
        err = verify_first(&restoring);
    if (err == SH_OK)
        err = journal_begin(work, id);
    if (err == SH_OK) {
        name_beside(&restoring, "new", beside);
        name_beside(&restoring, "old", previous);
        err = make_beside(&restoring, beside);
        if (err == SH_OK)
            err = replace(&restoring, beside, previous);
        settle(work, &restoring.swap, err);
    }
    if (err == SH_OK) {
        json_object_set_new(restoring.result, "previous_database",
                            restoring.swap.there ? json_string(previous) : json_null());
        root_note(work, "Restored %s; what was there is the database %s", id,
                  restoring.swap.there ? previous : "(there was none)");
    }
    return finish(&restoring, err, result);
}

/* --- some of it ------------------------------------------------------------------- */

static enum sh_err load_picked(struct restoring *restoring, const char *name,
                               const struct pick *tables, json_t **told)
{
    struct work *work = restoring->work;
    const struct pick_from from = {restoring->folder, restoring->manifest,
                                   restoring->swap.conninfo};
    enum sh_err err = swap_create(work, &restoring->swap, name);

    *told = NULL;
    if (err != SH_OK)
        return err;
    work_stage(work, "restore");
    err = pick_load(work, &from, name, tables, told);
    if (err != SH_OK)
        swap_drop(work, &restoring->swap, name);
    return err;
}

enum sh_err restore_tables(struct work *work, const char *id, const char *name,
                           const struct pick *tables, json_t **result)
{
    struct restoring restoring;
    json_t *told = NULL;
    enum sh_err err = begin(work, id, &restoring);

    if (err == SH_OK)
        err = load_picked(&restoring, name, tables, &told);
    if (err == SH_OK) {
        json_object_set_new(restoring.result, "database", json_string(name));
        json_object_update(restoring.result, told);
        root_note(work, "Restored %zu tables of %s into the database %s", tables->count,
                  id, name);
    }
    json_decref(told);
    return finish(&restoring, err, result);
}

static enum sh_err bring(struct restoring *restoring, const char *beside,
                         const struct pick *collections)
{
    struct work *work = restoring->work;
    const char *conninfo = restoring->swap.conninfo;
    PGconn *from = database_open(work, conninfo, beside);
    PGconn *to = from != NULL ? database_open(work, conninfo, NULL) : NULL;
    json_t *told = NULL;
    enum sh_err err = to != NULL ? SH_OK : SH_UNAVAILABLE;

    if (err == SH_OK)
        err = bring_collections(work, from, to, collections, &told);
    if (told != NULL)
        json_object_update(restoring->result, told);
    json_decref(told);
    PQfinish(from);
    PQfinish(to);
    return err;
}

enum sh_err restore_collections(struct work *work, const char *id,
                                const struct pick *collections, json_t **result)
{
    struct restoring restoring;
    struct pick tables;
    char beside[64];
    json_t *told = NULL;
    enum sh_err err = begin(work, id, &restoring);

    if (err == SH_OK)
        err = verify_first(&restoring);
    if (err == SH_OK)
        err = journal_begin(work, id);
    if (err == SH_OK) {
        bring_tables(restoring.manifest, &tables);
        name_beside(&restoring, "new", beside);
        err = load_picked(&restoring, beside, &tables, &told);
        json_decref(told);
        if (err == SH_OK) {
            err = bring_originals(&restoring);
            if (err == SH_OK)
                err = bring(&restoring, beside, collections);
            swap_drop(work, &restoring.swap, beside);
        }
        settle(work, &restoring.swap, err);
    }
    if (err == SH_OK)
        root_note(work, "Brought back documents of %zu collections of %s",
                  collections->count, id);
    return finish(&restoring, err, result);
}

enum sh_err restore_undo(struct work *work, json_t **result)
{
    struct swap swap = {.conn = NULL};
    char previous[64] = "";
    enum sh_err err = swap_open(work, &swap);

    *result = NULL;
    if (err == SH_OK)
        err = hold_enter(work, &swap);
    work_stage(work, "undo");
    if (err == SH_OK)
        err = journal_begin(work, "undo");
    if (err == SH_OK) {
        err = swap_back(work, &swap, previous);
        settle(work, &swap, err);
    }
    if (err == SH_OK) {
        *result =
            json_pack("{s:s, s:s}", "database", swap.name, "previous_database", previous);
        root_note(work, "Undid the last restore; what it brought is the database %s",
                  previous);
    }
    swap_close(&swap);
    return err;
}

enum sh_err restore_repair(struct work *work, json_t **result)
{
    struct swap swap = {.conn = NULL};
    enum sh_err err = swap_open(work, &swap);

    if (err == SH_OK)
        err = put_right(work, &swap);
    *result = err == SH_OK ? json_pack("{s:s}", "database", swap.name) : NULL;
    swap_close(&swap);
    return err;
}

void restore_mend(struct work *work)
{
    struct work quiet = *work;
    json_t *result = NULL;

    if (!journal_left(work->all->backup.directory))
        return;
    if (restore_repair(&quiet, &result) == SH_OK)
        root_note(work, "Put right what a restore that was killed had left");
    else
        work_say(work, "what a killed restore left cannot be put right now: %s",
                 quiet.error);
    json_decref(result);
}
