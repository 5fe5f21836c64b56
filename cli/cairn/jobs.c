/* cairn jobs: what takes longer than a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/progress.h"
#include "cli/cairn/table.h"
#include "cli/cairn/watch.h"

static const struct table_column one[] = {{"job", "job_id", false},
                                          {"kind", "kind", false},
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

static char *path_of(const char *id, const char *rest)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/jobs/");
    api_segment(&path, id);
    sh_buffer_text(&path, rest);
    sh_buffer_append(&path, "", 1);
    return path.data;
}

static void print(const struct cli *cli, const json_t *job)
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

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"JOB", "job_id", false},
                                                  {"KIND", "kind", true},
                                                  {"STATE", "state", false},
                                                  {"DONE", "done", false},
                                                  {"FAILED", "failed", false},
                                                  {"TOTAL", "total", false},
                                                  {"CREATED", "created_at", false},
                                                  {"BY", "created_by", true},
                                                  {0}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/jobs");
    api_query(&path, "state", args_text(&cli->args, "state"));
    api_query(&path, "kind", args_text(&cli->args, "kind"));
    return pages_print(cli, &path, "jobs", columns);
}

static int run_get(struct cli *cli)
{
    int code = CLI_FAILED;
    char *path = path_of(cli->args.words[0], "");
    json_t *job = path ? cli_get(cli, path, &code) : NULL;
    free(path);
    if (job)
        print(cli, job);
    json_decref(job);
    return code;
}

/* --- watch ---------------------------------------------------------------------------
 */

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

static int run_watch(struct cli *cli)
{
    struct watcher watcher = {.cli = cli};
    json_t *job = NULL;
    int code = cli_connect(cli);
    if (code != CLI_OK)
        return code;
    progress_start(&watcher.progress, true);
    enum api_end end =
        watch_job(cli->api, cli->args.words[0], on_update, &watcher, &cli->reply, &job);
    progress_clear(&watcher.progress);
    code = cli_judge(end, &cli->reply);
    if (!job)
        return code != CLI_OK ? code : CLI_FAILED;
    const char *state = json_string_value(json_object_get(job, "state"));
    print(cli, job);
    if (!state || strcmp(state, "done") != 0 || count(job, "failed") > 0)
        code = CLI_FAILED;
    json_decref(job);
    return code;
}

/* --- cancel, retry -------------------------------------------------------------------
 */

static int change(struct cli *cli, const char *method, const char *rest)
{
    char *path = path_of(cli->args.words[0], rest);
    int code = path ? cli_ask(cli, &(struct api_request){.method = method, .path = path})
                    : CLI_FAILED;
    free(path);
    json_t *job = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (job)
        print(cli, job);
    json_decref(job);
    return code;
}

static int run_cancel(struct cli *cli)
{
    return change(cli, "DELETE", "");
}

static int run_retry(struct cli *cli)
{
    return change(cli, "POST", "/retry");
}

/* clang-format off */
static const struct option_row list_options[] = {
    {.name = "state", .type = OPTION_CHOICE, .value = "STATE",
     .choices = "queued running done failed cancelled", .help = "only these"},
    {.name = "kind", .type = OPTION_TEXT, .value = "KIND", .help = "only of this kind"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"},
    {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List jobs, newest first", .options = list_options,
     .run = run_list},
    {.name = "get", .arguments = "ID", .summary = "Show how far a job is",
     .options = json_options, .run = run_get, .least = 1, .most = 1},
    {.name = "watch", .arguments = "ID", .summary = "Follow a job until it ends",
     .details = "Exit status 0 when it ended well and nothing in it failed. With --json "
                "a line for each change.",
     .options = json_options, .run = run_watch, .least = 1, .most = 1},
    {.name = "cancel", .arguments = "ID", .summary = "Stop a job; what it has done stays",
     .options = json_options, .run = run_cancel, .least = 1, .most = 1},
    {.name = "retry", .arguments = "ID", .summary = "Do again what failed in a job",
     .options = json_options, .run = run_retry, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command jobs_command = {
    .name = "jobs", .summary = "See, follow and stop jobs", .subs = subs};
