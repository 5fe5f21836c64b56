/* The ends of runs: logged, counted, told to the hook; and the sets are looked at again.
 */
#include <stdlib.h>
#include <string.h>

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

static void call_hook(const struct backup *backup, const struct run *run)
{
    json_t *body = runs_json(run);
    char *text = json_dumps(body, JSON_COMPACT);

    if (text != NULL)
        hook_tell(backup->hook, text);
    free(text); /* jansson's */
    json_decref(body);
}

static const char *state_of(const struct run *run)
{
    return run->state == RUN_DONE     ? "done"
           : run->state == RUN_FAILED ? "failed"
                                      : "cancelled";
}

static void on_ended(void *arg, const struct run *run)
{
    struct backup *backup = arg;
    const char *verb = run->words[0];
    const char *stage = run->stage[0] ? run->stage : "start";

    sh_series_observe(sh_series(&duration, (const char *[]){verb}),
                      run->finished_at - run->started_at);
    sh_count(&ends, verb, state_of(run));
    if (run->state == RUN_FAILED) {
        sh_count(&failures, stage);
        sh_error(NULL, "backup %s failed in %s: %s", verb, stage, run->error);
        if (backup->hook != NULL)
            call_hook(backup, run);
    } else {
        const char *id = json_string_value(json_object_get(run->result, "id"));
        sh_info(NULL, "backup %s %s: %s", verb, state_of(run), id ? id : run->id);
    }
    clock_ended(backup, run);
    wal_run_ended(backup, run);
    look_now(backup);
}

enum sh_err tell_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;
    enum sh_err err;

    backup->service = service;
    backup->loop = sh_service_loop(service);
    struct runs_options options = {
        .loop = backup->loop, .ended = on_ended, .arg = backup};
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
