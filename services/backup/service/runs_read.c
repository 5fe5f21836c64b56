#include <stdio.h>
#include <string.h>

#include "services/backup/service/runs_internal.h"
#include "shared/mem.h"

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

    reading->found = json_array();
    if (reading->ledger < 0) {
        reading->read = json_array();
        reading->err = reading->id[0] ? SH_NOTFOUND : SH_OK;
        return;
    }
    if (reading->cancel)
        reading->err = ledger_cancel(reading->ledger, reading->id);
    if (reading->id[0] == '\0') {
        reading->read = ledger_read(reading->ledger, reading->found);
        ledger_trim(reading->ledger, reading->read);
        return;
    }
    reading->read = ledger_find(reading->ledger, reading->id, reading->found);
    if (reading->read == NULL)
        reading->err = SH_NOTFOUND;
}

void runs_strip(json_t *run)
{
    (void)json_object_del(run, "ledger");
}

void runs_tell_found(struct runs *runs, json_t *found)
{
    size_t i;
    json_t *run;

    json_array_foreach(found, i, run)
    {
        runs_strip(run);
        if (!runs->closed)
            runs->options.interrupted(runs->options.arg, run);
    }
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
    uint64_t version = ledger_version(reading->read);
    json_t *all = NULL;
    json_t *run;
    size_t i;

    (void)status; /* never cancelled */
    runs->asked--;
    runs_tell_found(runs, reading->found);
    json_array_foreach(reading->read, i, run) runs_strip(run);
    if (reading->id[0] == '\0')
        all = with_ours(runs, reading->read);
    else
        runs_strip(reading->read);
    if (reading->done != NULL)
        reading->done(reading->arg, reading->err, all ? all : reading->read, version);
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
