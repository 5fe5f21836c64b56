#include "cli/cairn/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/progress.h"
#include "cli/cairn/table.h"
#include "cli/cairn/watch.h"

static const struct table_column one[] = {{"job", "job_id", false},
                                          {"kind", "kind", false},
                                          {"file", "file_name", false},
                                          {"state", "state", false},
                                          {"done", "done", false},
                                          {"failed", "failed", false},
                                          {"total", "total", false},
                                          {"created by", "created_by", false},
                                          {"created", "created_at", false},
                                          {"started", "started_at", false},
                                          {"finished", "finished_at", false},
                                          {"result", "result", false},
                                          {0}};
static const struct table_column faults[] = {
    {"ITEM", "item", false}, {"CODE", "code", false}, {"ERROR", "error", true}, {0}};

void follow_print(const struct cli *cli, const json_t *job)
{
    const json_t *errors = json_object_get(job, "errors");

    if (args_given(&cli->args, "json")) {
        (void)cli_print_json(job);
        return;
    }
    table_print_one(one, job);
    if (json_array_size(errors) == 0)
        return;
    (void)printf("\n");
    table_print(faults, errors);
}

struct watcher {
    struct progress progress;
    const struct cli *cli;
};

static uint64_t count(const json_t *job, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(job, name));
    return value > 0 ? (uint64_t)value : 0;
}

static void on_update(void *arg, const json_t *job)
{
    struct watcher *watcher = arg;
    const char *kind = json_string_value(json_object_get(job, "kind"));
    if (args_given(&watcher->cli->args, "json") && !watch_has_ended(job)) {
        (void)cli_print_json(job);
        (void)fflush(stdout);
    }
    progress_show(&watcher->progress,
                  &(struct progress_figures){.what = kind ? kind : "items",
                                             .done = count(job, "done"),
                                             .failed = count(job, "failed"),
                                             .total = count(job, "total")},
                  false);
}

int follow_job(struct cli *cli, const char *id)
{
    struct watcher watcher = {.cli = cli};
    json_t *job = NULL;
    int code = cli_connect(cli);
    if (code != CLI_OK)
        return code;
    progress_start(&watcher.progress, true);
    enum api_end end = watch_job(cli->api, id, on_update, &watcher, &cli->reply, &job);
    progress_clear(&watcher.progress);
    code = cli_judge(end, &cli->reply);
    if (!job)
        return code != CLI_OK ? code : CLI_FAILED;
    const char *state = json_string_value(json_object_get(job, "state"));
    follow_print(cli, job);
    if (!state || strcmp(state, "done") != 0 || count(job, "failed") > 0 ||
        count(json_object_get(job, "result"), "failed") > 0)
        code = CLI_FAILED;
    json_decref(job);
    return code;
}

int follow_begun(struct cli *cli)
{
    json_t *begun = api_json(&cli->reply);
    const char *id = json_string_value(json_object_get(begun, "job_id"));
    int code = CLI_FAILED;
    if (!id)
        cli_say("the server began no job");
    else if (args_given(&cli->args, "no-wait"))
        code = cli_print_members(begun, args_given(&cli->args, "json"));
    else
        code = follow_job(cli, id);
    json_decref(begun);
    return code;
}
