/* cairn jobs: what takes longer than a request. */
#include <stdlib.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/follow.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/table.h"

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"JOB", "job_id", false},         {"KIND", "kind", true},
        {"STATE", "state", false},        {"DONE", "done", false},
        {"FAILED", "failed", false},      {"TOTAL", "total", false},
        {"CREATED", "created_at", false}, {"BY", "created_by", true},
        {"FILE", "file_name", true},      {0}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/jobs");
    api_query(&path, "state", args_text(&cli->args, "state"));
    api_query(&path, "kind", args_text(&cli->args, "kind"));
    return pages_print(cli, &path, "jobs", columns);
}

static int run_get(struct cli *cli)
{
    int code = CLI_FAILED;
    char *path = cli_path("/api/jobs/", cli->args.words[0], "");
    json_t *job = path ? cli_get(cli, path, &code) : NULL;
    free(path);
    if (job)
        follow_print(cli, job);
    json_decref(job);
    return code;
}

/* --- watch ------------------------------------------------------------------------ */

static int run_watch(struct cli *cli)
{
    return follow_job(cli, cli->args.words[0]);
}

/* --- cancel, retry ---------------------------------------------------------------- */

static int change(struct cli *cli, const char *method, const char *rest)
{
    char *path = cli_path("/api/jobs/", cli->args.words[0], rest);
    int code = path ? cli_ask(cli, &(struct api_request){.method = method, .path = path})
                    : CLI_FAILED;
    free(path);
    json_t *job = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (job)
        follow_print(cli, job);
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
