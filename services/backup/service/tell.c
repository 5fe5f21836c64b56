/* The ends of runs: logged, counted, told to the hook; and the sets are looked at again.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/run/ledger.h"
#include "services/backup/run/root.h"
#include "services/backup/service/backup.h"
#include "shared/log.h"
#include "shared/metrics.h"

static const double buckets[] = {1, 5, 15, 60, 300, 900, 3600, 14400, 0};

static struct sh_family duration = {.kind = SH_HISTOGRAM,
                                    .name = "cairn_backup_duration_seconds",
                                    .help = "How long runs took.",
                                    .labels = {"run"},
                                    .buckets = buckets};
static struct sh_family ends = {.kind = SH_COUNTER,
                                .name = "cairn_backup_runs_total",
                                .help = "Runs by how they ended.",
                                .labels = {"run", "state"}};
static struct sh_family failures = {.kind = SH_COUNTER,
                                    .name = "cairn_backup_failures_total",
                                    .help = "Runs that failed, by what they were at.",
                                    .labels = {"stage"}};

static void call_hook(const struct backup *backup, const json_t *run)
{
    char *text = json_dumps(run, JSON_COMPACT);

    if (text != NULL)
        hook_tell(backup->hook, text);
    free(text); /* jansson's */
}

static const char *state_of(const struct run *run)
{
    return run->state == RUN_DONE     ? "done"
           : run->state == RUN_FAILED ? "failed"
                                      : "cancelled";
}

static void tell_failure(const struct backup *backup, const json_t *run)
{
    const char *stage = json_string_value(json_object_get(run, "stage"));

    if (stage == NULL || stage[0] == '\0')
        stage = "start";
    sh_count(&failures, stage);
    sh_error(NULL, "backup %s failed in %s: %s",
             json_string_value(json_object_get(run, "kind")), stage,
             json_string_value(json_object_get(run, "error")));
    if (backup->hook != NULL)
        call_hook(backup, run);
}

/* Its service was killed, and it was not told how it ended. */
static void on_interrupted(void *arg, const json_t *run)
{
    const char *state = json_string_value(json_object_get(run, "state"));
    const char *kind = json_string_value(json_object_get(run, "kind"));

    if (state == NULL || kind == NULL)
        return;
    sh_count(&ends, kind, state);
    if (strcmp(state, "failed") == 0)
        tell_failure(arg, run);
}

static void on_ended(void *arg, const struct run *run)
{
    struct backup *backup = arg;
    const char *verb = run->words[0];

    sh_series_observe(sh_series(&duration, (const char *[]){verb}),
                      run->finished_at - run->started_at);
    sh_count(&ends, verb, state_of(run));
    if (run->state == RUN_FAILED) {
        json_t *told = runs_json(run);
        tell_failure(backup, told);
        json_decref(told);
    } else {
        const char *id = json_string_value(json_object_get(run->result, "id"));
        sh_info(NULL, "backup %s %s: %s", verb, state_of(run), id ? id : run->id);
    }
    clock_ended(backup, run);
    wal_run_ended(backup, run);
    look_now(backup);
}

static int open_ledger(const struct backup *backup)
{
    struct work work = {.all = &backup->config, .root = -1};
    enum sh_err err = root_open(&work);
    int ledger = -1;

    if (err == SH_OK)
        err = ledger_open(work.root, &ledger);
    if (err != SH_OK)
        sh_warning(NULL, "runs are in memory only: %s",
                   work.error[0] ? work.error : "BACKUP_DIR/.runs cannot be made");
    if (work.root >= 0)
        (void)close(work.root);
    return ledger;
}

enum sh_err tell_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;
    enum sh_err err;

    backup->service = service;
    backup->loop = sh_service_loop(service);
    struct runs_options options = {.loop = backup->loop,
                                   .directory = backup->config.backup.directory,
                                   .ledger = open_ledger(backup),
                                   .ended = on_ended,
                                   .interrupted = on_interrupted,
                                   .arg = backup};
    struct hook_options hook = {.loop = backup->loop,
                                .url = backup->config.backup.hook_url};
    err = runs_create(&options, &backup->runs);
    if (err == SH_OK && hook.url[0] != '\0')
        err = hook_create(&hook, &backup->hook);
    if (err != SH_OK)
        runs_close(&backup->runs);
    return err;
}

static void on_idle(void *arg)
{
    sh_service_release(arg);
}

void tell_drain(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    sh_service_hold(service);
    runs_drain(backup->runs, on_idle, service);
}

void tell_stop(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    (void)service;
    runs_close(&backup->runs);
    hook_close(&backup->hook);
}
