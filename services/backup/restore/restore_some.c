/* Some tables of a set, or the documents of some collections. */
#include "services/backup/restore/bring.h"
#include "services/backup/restore/journal.h"
#include "services/backup/restore/restore_internal.h"
#include "services/backup/run/root.h"

static enum sh_err load_picked(struct restoring *restoring, const char *name,
                               const struct pick *tables, json_t **told)
{
    struct work *work = restoring->work;
    enum sh_err err = swap_create(work, &restoring->swap, name);

    *told = NULL;
    if (err != SH_OK)
        return err;
    work_stage(work, "restore");
    err =
        pick_load(work, &restoring->origin, restoring->swap.conninfo, name, tables, told);
    origin_stop(&restoring->origin);
    if (err != SH_OK)
        swap_drop(work, &restoring->swap, name);
    return err;
}

enum sh_err restore_tables(struct work *work, const struct restore_order *order,
                           const char *name, const struct pick *tables, json_t **result)
{
    struct restoring restoring;
    json_t *told = NULL;
    enum sh_err err = restoring_begin(work, order, &restoring);

    if (err == SH_OK)
        err = origin_fill(work, &restoring.origin, restoring.result);
    if (err == SH_OK)
        err = load_picked(&restoring, name, tables, &told);
    if (err == SH_OK) {
        json_object_set_new(restoring.result, "database", json_string(name));
        json_object_update(restoring.result, told);
        root_note(work, "Restored %zu tables of %s into the database %s", tables->count,
                  order->id, name);
    }
    json_decref(told);
    return restoring_end(&restoring, err, result);
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

static enum sh_err bring_all(struct restoring *restoring, const struct pick *collections)
{
    struct pick tables;
    char beside[64];
    json_t *told = NULL;
    enum sh_err err = origin_fill(restoring->work, &restoring->origin, restoring->result);

    if (err != SH_OK)
        return err;
    bring_tables(restoring->origin.facts, &tables);
    restoring_name(restoring, "new", beside);
    err = load_picked(restoring, beside, &tables, &told);
    json_decref(told);
    if (err != SH_OK)
        return err;
    err = restoring_originals(restoring);
    if (err == SH_OK)
        err = bring(restoring, beside, collections);
    swap_drop(restoring->work, &restoring->swap, beside);
    return err;
}

enum sh_err restore_collections(struct work *work, const struct restore_order *order,
                                const struct pick *collections, json_t **result)
{
    struct restoring restoring;
    enum sh_err err = restoring_begin(work, order, &restoring);

    if (err == SH_OK)
        err = restoring_verify(&restoring);
    if (err == SH_OK)
        err = journal_begin(work, order->id);
    if (err == SH_OK) {
        err = bring_all(&restoring, collections);
        restoring_settle(work, &restoring.swap, err);
    }
    if (err == SH_OK)
        root_note(work, "Brought back documents of %zu collections of %s",
                  collections->count, order->id);
    return restoring_end(&restoring, err, result);
}
