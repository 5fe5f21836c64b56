#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/service/runs_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

/* --- writing: one run after the other --------------------------------------------- */

struct keeping {
    uv_work_t work;
    struct runs *runs;
    int ledger;
    char id[RUN_ID];
    char *text;
    int lock; /* -1: to be made */
    bool over;
    bool must; /* else it is not to be found there at all */
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

static void on_thread(uv_work_t *work)
{
    struct keeping *keeping = work->data;

    keeping->err = write_down(keeping);
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

/* It was to be written down for the first time: whoever waits for that is told. What
 * failed is not done. */
static void answer(struct run *run, enum sh_err err)
{
    bool refused = err == SH_NOMEM || (err != SH_OK && !run->regardless);
    runs_taken_fn *taken = run->taken;
    void *arg = run->taken_arg;
    json_t *told = refused ? NULL : runs_json(run);

    run->taken = NULL;
    run->kept = true;
    if (refused)
        *run = (struct run){.lock = -1};
    if (taken != NULL)
        taken(arg, refused ? err : SH_OK, told);
    json_decref(told);
}

static void on_kept(uv_work_t *work, int status)
{
    struct keeping *keeping = work->data;
    struct runs *runs = keeping->runs;
    struct run *run = sh_unconst(runs_find(runs, keeping->id));

    (void)status; /* never cancelled */
    runs->asked--;
    runs->keeping = false;
    if (keeping->err != SH_OK)
        sh_warning(NULL, "run %s is not in BACKUP_DIR/.runs: %s", keeping->id,
                   sh_err_text(keeping->err));
    run->lock = keeping->lock;
    run->writing = false;
    if (!run->kept)
        answer(run, keeping->err);
    if (runs->closed && run->lock >= 0)
        (void)close(run->lock);
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

static enum sh_err write_one(struct runs *runs, struct run *run)
{
    struct keeping *keeping = sh_alloc(sizeof(*keeping));
    json_t *json = runs_json(run);
    enum sh_err err = SH_NOMEM;

    if (keeping != NULL) {
        keeping->work.data = keeping;
        keeping->runs = runs;
        keeping->ledger = runs->ledger;
        keeping->lock = run->lock;
        keeping->over = run->state > RUN_RUNNING;
        keeping->must = !run->kept && !run->regardless;
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
    run->changed = true;
    run->kept_at = sh_wall_time();
    if (runs->ledger < 0 && run->kept)
        run->changed = false; /* in memory only */
    else
        write_next(runs);
}

/* --- reading ---------------------------------------------------------------------- */

struct reading {
    uv_work_t work;
    struct runs *runs;
    int ledger;
    char id[RUN_ID]; /* "": all of them */
    bool cancel;
    runs_read_fn *done;
    void *arg;
    json_t *read;
    json_t *found; /* that had ended without their service */
    enum sh_err err;
};

static void read_on_thread(uv_work_t *work)
{
    struct reading *reading = work->data;
    json_t *run;
    size_t i;

    reading->found = json_array();
    if (reading->ledger < 0) {
        reading->read = json_array();
        reading->err = reading->id[0] ? SH_NOTFOUND : SH_OK;
        return;
    }
    if (reading->cancel)
        reading->err = ledger_cancel(reading->ledger, reading->id);
    json_t *list = ledger_read(reading->ledger, reading->found);
    if (reading->id[0] == '\0') {
        ledger_trim(reading->ledger, list);
        reading->read = list;
        return;
    }
    json_array_foreach(
        list, i, run) if (strcmp(json_string_value(json_object_get(run, "run_id")),
                                 reading->id) == 0) reading->read = json_incref(run);
    json_decref(list);
    if (reading->read == NULL)
        reading->err = SH_NOTFOUND;
}

/* What we have in memory is newer than what is written. */
static json_t *with_ours(const struct runs *runs, const json_t *read)
{
    json_t *all = runs_list(runs);
    size_t at = 0;
    size_t i;
    json_t *run;

    json_array_foreach(read, i, run)
    {
        const char *when = json_string_value(json_object_get(run, "created_at"));
        const char *ours;
        if (runs_find(runs, json_string_value(json_object_get(run, "run_id"))) != NULL)
            continue;
        while ((ours = json_string_value(
                    json_object_get(json_array_get(all, at), "created_at"))) != NULL &&
               strcmp(ours, when) > 0)
            at++;
        json_array_insert(all, at, run);
    }
    return all;
}

static void on_read(uv_work_t *work, int status)
{
    struct reading *reading = work->data;
    struct runs *runs = reading->runs;
    json_t *all = NULL;
    json_t *run;
    size_t i;

    (void)status; /* never cancelled */
    runs->asked--;
    json_array_foreach(reading->found, i, run) if (!runs->closed)
        runs->options.interrupted(runs->options.arg, run);
    if (reading->id[0] == '\0')
        all = with_ours(runs, reading->read);
    if (reading->done != NULL)
        reading->done(reading->arg, reading->err, all ? all : reading->read);
    json_decref(all);
    json_decref(reading->read);
    json_decref(reading->found);
    sh_free(reading);
    runs_go_on(runs);
}

enum sh_err runs_read(struct runs *runs, const struct runs_question *question,
                      runs_read_fn *done, void *arg)
{
    struct reading *reading = sh_alloc(sizeof(*reading));
    enum sh_err err;

    if (reading == NULL)
        return SH_NOMEM;
    reading->work.data = reading;
    reading->runs = runs;
    reading->ledger = runs->ledger;
    reading->cancel = question->cancel;
    reading->done = done;
    reading->arg = arg;
    (void)snprintf(reading->id, sizeof(reading->id), "%s", question->id);
    err = sh_err_from_uv(
        uv_queue_work(runs->options.loop, &reading->work, read_on_thread, on_read));
    if (err == SH_OK)
        runs->asked++;
    else
        sh_free(reading);
    return err;
}
