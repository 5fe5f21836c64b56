#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/run/root.h"
#include "services/backup/service/runs_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

/* One run is written after the other. */

struct keeping {
    uv_work_t work;
    struct runs *runs;
    int ledger;
    char id[RUN_ID];
    char *text;
    int lock; /* -1: to be made */
    bool over;
    bool must; /* else it is not to be found there at all */
    char key[RUN_KEY];
    char set[BACKUP_ID]; /* that must be there; "": none */
    json_t *known;       /* an earlier run with the key: nothing was written */
    json_t *found;       /* as runs_read() has it */
    enum sh_err err;
};

static void write_next(struct runs *runs);

static enum sh_err write_down(struct keeping *keeping)
{
    enum sh_err err = SH_OK;

    if (keeping->ledger < 0)
        return SH_IO;
    if (keeping->lock < 0)
        err = ledger_begin(keeping->ledger, keeping->id, &keeping->lock);
    if (err == SH_OK)
        err = ledger_write(keeping->ledger, keeping->id, keeping->text);
    return err;
}

/* Nobody is promised a run that can only fail. */
static enum sh_err begin(struct keeping *keeping)
{
    if (keeping->set[0] != '\0' &&
        !root_may_have(keeping->runs->options.directory, keeping->set))
        return SH_NOTFOUND;
    return write_down(keeping);
}

static enum sh_err write_once(struct keeping *keeping)
{
    int held;
    enum sh_err err =
        keeping->ledger >= 0 ? ledger_hold_keys(keeping->ledger, &held) : SH_IO;

    if (err != SH_OK)
        return err;
    keeping->found = json_array();
    keeping->known = ledger_keyed(keeping->ledger, keeping->key, keeping->found);
    if (keeping->known == NULL)
        err = begin(keeping);
    (void)close(held);
    return err;
}

static void on_thread(uv_work_t *work)
{
    struct keeping *keeping = work->data;

    keeping->err = keeping->key[0] != '\0' ? write_once(keeping) : begin(keeping);
    bool refused = keeping->err != SH_OK && keeping->must;
    if (keeping->lock < 0 || (!refused && !keeping->over))
        return;
    if (refused)
        ledger_forget(keeping->ledger, keeping->id);
    else if (keeping->err == SH_OK)
        ledger_end(keeping->ledger, keeping->id);
    (void)close(keeping->lock);
    keeping->lock = -1;
}

/* Takes `told`; NULL: nothing is done. */
static void tell(struct run *run, enum sh_err err, json_t *told, bool stays)
{
    runs_taken_fn *taken = run->taken;
    void *arg = run->taken_arg;

    run->taken = NULL;
    run->kept = true;
    if (!stays)
        *run = (struct run){.lock = -1};
    if (taken != NULL)
        taken(arg, err, told);
    json_decref(told);
}

/* It was to be written down for the first time: whoever waits for that is told. What
 * failed is not done. */
static void answer(struct run *run, enum sh_err err)
{
    if (err == SH_OK || (err == SH_IO && run->regardless))
        tell(run, SH_OK, runs_json(run), true);
    else
        tell(run, err, NULL, false);
}

/* What was to be written has been asked for before. */
static void answer_known(const struct keeping *keeping, struct run *run)
{
    json_t *known = keeping->known;
    const char *id = json_string_value(json_object_get(known, "run_id"));
    const char *order =
        json_string_value(json_object_get(json_object_get(known, "ledger"), "order"));
    const struct run *ours = runs_find(keeping->runs, id);

    if (order == NULL || strcmp(order, run->order) != 0) {
        tell(run, SH_CONFLICT, NULL, false);
        return;
    }
    runs_strip(known);
    tell(run, SH_OK, ours != NULL ? runs_json(ours) : json_incref(known), false);
}

static void on_kept(uv_work_t *work, int status)
{
    struct keeping *keeping = work->data;
    struct runs *runs = keeping->runs;
    struct run *run = sh_unconst(runs_find(runs, keeping->id));

    (void)status; /* never cancelled */
    runs->asked--;
    runs->keeping = false;
    if (keeping->err != SH_OK && keeping->err != SH_NOTFOUND)
        sh_warning(NULL, "run %s is not in BACKUP_DIR/.runs: %s", keeping->id,
                   sh_err_text(keeping->err));
    run->lock = keeping->lock;
    run->writing = false;
    if (keeping->known != NULL) {
        answer_known(keeping, run);
        runs_tell_found(runs, keeping->found);
    } else if (!run->kept) {
        answer(run, keeping->err);
    }
    if (runs->closed && run->lock >= 0)
        (void)close(run->lock);
    json_decref(keeping->known);
    json_decref(keeping->found);
    free(keeping->text); /* jansson's */
    sh_free(keeping);
    if (!runs->closed)
        write_next(runs);
    runs_go_on(runs);
}

static bool wants_keeping(const struct run *run)
{
    return run->id[0] != '\0' && run->changed;
}

bool keep_done(const struct runs *runs)
{
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (wants_keeping(&runs->list[i]))
            return false;
    return !runs->keeping;
}

/* As it is told, and what is the ledger's own. */
static json_t *all_of(const struct run *run)
{
    json_t *json = runs_json(run);
    json_t *own = json_pack("{s:I}", "version", (json_int_t)run->version);

    if (run->key[0] != '\0') {
        json_object_set_new(own, "key", json_string(run->key));
        json_object_set_new(own, "order", json_string(run->order));
    }
    json_object_set_new(json, "ledger", own);
    return json;
}

static enum sh_err write_one(struct runs *runs, struct run *run)
{
    struct keeping *keeping = sh_alloc(sizeof(*keeping));
    json_t *json = all_of(run);
    enum sh_err err = SH_NOMEM;

    if (keeping != NULL) {
        keeping->work.data = keeping;
        keeping->runs = runs;
        keeping->ledger = runs->ledger;
        keeping->lock = run->lock;
        keeping->over = run->state > RUN_RUNNING;
        keeping->must = !run->kept && !run->regardless;
        if (!run->kept)
            memcpy(keeping->key, run->key, sizeof(keeping->key));
        if (!run->kept && run->of_a_set)
            (void)snprintf(keeping->set, sizeof(keeping->set), "%s", run->words[1]);
        keeping->text = json_dumps(json, JSON_COMPACT);
        memcpy(keeping->id, run->id, sizeof(keeping->id));
        if (keeping->text != NULL)
            err = sh_err_from_uv(
                uv_queue_work(runs->options.loop, &keeping->work, on_thread, on_kept));
    }
    json_decref(json);
    if (err == SH_OK)
        return err;
    if (keeping != NULL)
        free(keeping->text); /* jansson's */
    sh_free(keeping);
    return err;
}

static void write_next(struct runs *runs)
{
    for (size_t i = 0; i < RUNS_KEPT && !runs->keeping; i++) {
        struct run *run = &runs->list[(runs->next + i) % RUNS_KEPT];
        if (!wants_keeping(run))
            continue;
        run->changed = false;
        runs->keeping = run->writing = write_one(runs, run) == SH_OK;
        runs->asked += runs->keeping;
        if (!runs->keeping && !run->kept)
            answer(run, SH_NOMEM);
    }
}

void keep(struct runs *runs, struct run *run)
{
    run->version++;
    run->changed = true;
    run->kept_at = sh_wall_time();
    if (runs->ledger < 0 && run->kept)
        run->changed = false; /* in memory only */
    else
        write_next(runs);
}
