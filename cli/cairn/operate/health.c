/* cairn health: what the gateway says of the whole; cairn ping: whether it, or a service
 * behind it, answers; cairn metrics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/download.h"
#include "cli/cairn/operate/operate.h"

/* --- health ----------------------------------------------------------------------- */

static void add(json_t *rows, const char *where, const char *name, json_t *check)
{
    json_t *rest = json_copy(check);
    json_object_del(rest, "status");
    json_object_del(rest, "healthy");
    json_array_append_new(
        rows, json_pack("{s:s, s:s, s:O?, s:o}", "service", where, "check", name,
                        "status", json_object_get(check, "status"), "figures", rest));
}

/* The gateway's own view, and with /health/detailed each service's. */
static json_t *rows_of(const json_t *health)
{
    json_t *rows = json_array();
    const char *name = NULL;
    const char *part = NULL;
    json_t *check = NULL;
    json_t *service = NULL;
    json_object_foreach(json_object_get(health, "subsystems"), name, check)
        add(rows, "all", name, check);
    json_object_foreach(json_object_get(health, "services"), name, service)
    {
        json_object_foreach(json_object_get(service, "checks"), part, check)
            add(rows, name, part, check);
    }
    return rows;
}

static int print_health(struct cli *cli, const json_t *health)
{
    static const struct table_column columns[] = {{"SERVICE", "service", false},
                                                  {"CHECK", "check", false},
                                                  {"STATUS", "status", false},
                                                  {"FIGURES", "figures", true},
                                                  {0}};
    const char *status = json_string_value(json_object_get(health, "status"));
    json_t *rows = rows_of(health);
    if (args_given(&cli->args, "json") || json_array_size(rows) == 0)
        (void)cli_print_json(health);
    else
        table_print(columns, rows);
    json_decref(rows);
    operate_say_issues(health);
    return status && strcmp(status, "unhealthy") == 0 ? CLI_FAILED : CLI_OK;
}

static int run_health(struct cli *cli)
{
    struct sh_buffer path = {0};
    int code = CLI_FAILED;
    sh_buffer_text(&path,
                   args_given(&cli->args, "detailed") ? "/health/detailed" : "/health");
    api_query(&path, "profile", args_text(&cli->args, "profile-of"));
    api_query(&path, "refresh", args_given(&cli->args, "refresh") ? "1" : NULL);
    sh_buffer_append(&path, "", 1);
    json_t *health = path.err == SH_OK ? operate_ask_health(cli, path.data, &code) : NULL;
    if (health)
        code = print_health(cli, health);
    json_decref(health);
    sh_buffer_free(&path);
    return code;
}

/* --- ping ------------------------------------------------------------------------- */

static int run_ping(struct cli *cli)
{
    const char *path = "/health/ping";
    if (cli->args.word_count == 1) {
        char *service = cli_path("/health/ping/", cli->args.words[0], "");
        int code = answer_get(cli, service, NULL);
        free(service);
        return code;
    }
    if (args_given(&cli->args, "ready"))
        path = "/health/ready";
    else if (args_given(&cli->args, "live"))
        path = "/health/liveness";
    return answer_get(cli, path, NULL);
}

/* --- metrics ---------------------------------------------------------------------- */

static int run_metrics(struct cli *cli)
{
    if (args_given(&cli->args, "json")) {
        int code = cli_ask(cli, &(struct api_request){.path = "/health/metrics",
                                                      .accept = "application/json"});
        return code == CLI_OK ? answer_print(cli, NULL) : code;
    }
    return download_text(cli, "/metrics");
}

/* clang-format off */
static const struct option_row health_options[] = {
    {.name = "detailed", .letter = 'd', .help = "every check of every service"},
    {.name = "refresh", .help = "look at everything anew; for operators"},
    {.name = "profile-of", .type = OPTION_CHOICE, .value = "MONITOR",
     .choices = "union garden glossary checks vector", .help = "the shape of a monitor"},
    {.name = "json", .help = "the answer as it is"},
    {0}};
static const struct option_row ping_options[] = {
    {.name = "ready", .help = "are searches answered?"},
    {.name = "live", .help = "does the gateway turn?"},
    {.name = "json", .help = "the answer as it is"},
    {0}};
static const struct option_row metrics_options[] = {
    {.name = "output", .letter = 'o', .type = OPTION_FILE, .value = "PATH",
     .help = "where to; - or absent: standard output"},
    {.name = "json", .help = "JSON in place of Prometheus text"},
    {0}};
/* clang-format on */

const struct command health_command = {
    .name = "health",
    .summary = "Tell how the system is",
    .details =
        "Exit status 1 when it is unhealthy: searches are not answered, or documents "
        "not stored. What is degraded is named on standard error.",
    .options = health_options,
    .run = run_health};

const struct command ping_command = {
    .name = "ping",
    .arguments = "[SERVICE]",
    .summary = "Tell whether the gateway, or a service behind it, answers",
    .options = ping_options,
    .run = run_ping,
    .most = 1};

const struct command metrics_command = {.name = "metrics",
                                        .summary = "Print the metrics of the gateway",
                                        .options = metrics_options,
                                        .run = run_metrics};
