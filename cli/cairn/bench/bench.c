/* cairn bench: what searches of many users at once wait for, and what they cost. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/bench/crowd.h"
#include "cli/cairn/cli.h"
#include "cli/cairn/table.h"
#include "shared/mem.h"
#include "shared/trace.h"

enum { USERS = 50, REQUESTS = 10, QUESTIONS_MAX = 256 };

static const char *const usual[] = {"how do I reset my password",
                                    "vpn from home",
                                    "laboratory access at night",
                                    "thesis submission deadline",
                                    "printing on campus",
                                    "email quota",
                                    "book a room",
                                    "research data storage",
                                    "library opening hours",
                                    "software licences for staff"};

/* --- the server's own figures ----------------------------------------------------- */

struct figures {
    bool known; /* not all may ask for them */
    double cpu_s, resident_bytes;
    double pool_size, pool_active;
    double hits, misses;
};

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void add_replicas(const json_t *service, struct figures *figures)
{
    size_t i;
    const json_t *replica;
    json_array_foreach(json_object_get(service, "replicas"), i, replica)
    {
        const json_t *answers = json_object_get(replica, "answers");
        figures->cpu_s += number(replica, "cpu_seconds");
        figures->resident_bytes += number(replica, "resident_bytes");
        figures->hits += number(answers, "hits");
        figures->misses += number(answers, "misses");
    }
}

/* What may not be asked for is left out of the report, without a word on stderr. */
static struct figures ask_figures(struct cli *cli)
{
    struct figures figures = {0};
    const char *name;
    json_t *service;
    if (api_call(cli->api, &(struct api_request){.path = "/api/admin/stats"},
                 &cli->reply) != API_ANSWERED ||
        cli->reply.status != 200)
        return figures;
    json_t *stats = api_json(&cli->reply);
    json_t *services = json_object_get(stats, "services");
    const json_t *database = json_object_get(stats, "database");
    figures.known = stats != NULL;
    figures.pool_size = number(database, "pool_size");
    figures.pool_active = number(database, "active_connections");
    json_object_foreach(services, name, service) add_replicas(service, &figures);
    json_decref(stats);
    return figures;
}

/* --- the report ------------------------------------------------------------------- */

/* Three places are enough for people, six for microseconds. */
static json_t *rounded(double value, double places)
{
    return json_real(round(value * places) / places);
}

static double quantile(const struct crowd_outcome *outcome, double share)
{
    size_t at = (size_t)(share * (double)outcome->answered);
    if (outcome->answered == 0)
        return 0;
    return outcome->seconds[at < outcome->answered ? at : outcome->answered - 1];
}

static double mean(const struct crowd_outcome *outcome)
{
    double sum = 0;
    for (size_t i = 0; i < outcome->answered; i++)
        sum += outcome->seconds[i];
    return outcome->answered > 0 ? sum / (double)outcome->answered : 0;
}

static void add_system(json_t *report, const struct figures *before,
                       const struct figures *after)
{
    double asked = after->hits - before->hits + after->misses - before->misses;
    if (!before->known || !after->known)
        return;
    json_object_set_new(report, "cpu_s", rounded(after->cpu_s - before->cpu_s, 1e3));
    json_object_set_new(report, "resident_mb", rounded(after->resident_bytes / 1e6, 10));
    json_object_set_new(
        report, "pool",
        json_pack("{s:f, s:f}", "size", after->pool_size, "active", after->pool_active));
    if (asked > 0)
        json_object_set_new(report, "cache_hit_rate",
                            rounded((after->hits - before->hits) / asked, 1e3));
}

/* A request that was limited is no failure: the limits did what they are for. */
static json_t *report_of(const struct crowd *crowd, const struct crowd_outcome *outcome)
{
    double all = (double)(outcome->answered + outcome->limited + outcome->failed);
    json_t *report =
        json_pack("{s:i, s:I, s:I, s:I, s:I}", "users", (int)crowd->users, "requests",
                  (json_int_t)all, "succeeded", (json_int_t)outcome->answered, "limited",
                  (json_int_t)outcome->limited, "failed", (json_int_t)outcome->failed);
    if (!report)
        return NULL;
    json_object_set_new(report, "success_rate",
                        rounded(1 - (double)outcome->failed / all, 1e4));
    json_object_set_new(report, "mean_s", rounded(mean(outcome), 1e6));
    json_object_set_new(report, "p50_s", rounded(quantile(outcome, 0.5), 1e6));
    json_object_set_new(report, "p95_s", rounded(quantile(outcome, 0.95), 1e6));
    json_object_set_new(report, "max_s", rounded(quantile(outcome, 1), 1e6));
    json_object_set_new(report, "seconds", rounded(outcome->wall_s, 1e3));
    json_object_set_new(report, "requests_per_s", rounded(all / outcome->wall_s, 10));
    return report;
}

static int print(const struct cli *cli, const json_t *report)
{
    static const struct table_column columns[] = {
        {"users", "users", false},
        {"requests", "requests", false},
        {"succeeded", "succeeded", false},
        {"blocked by limits", "limited", false},
        {"failed", "failed", false},
        {"success rate", "success_rate", false},
        {"mean, s", "mean_s", false},
        {"median, s", "p50_s", false},
        {"p95, s", "p95_s", false},
        {"longest, s", "max_s", false},
        {"requests per second", "requests_per_s", false},
        {"CPU of the services, s", "cpu_s", false},
        {"memory of the services, MB", "resident_mb", false},
        {"database connections", "pool.size", false},
        {"of these in use", "pool.active", false},
        {"cache hit rate", "cache_hit_rate", false},
        {0}};
    if (args_given(&cli->args, "json"))
        return cli_print_json(report);
    table_print_one(columns, report);
    return CLI_OK;
}

/* --- the command ------------------------------------------------------------------ */

static bool is_late(const struct args *args, const char *option, double value)
{
    const char *most = args_text(args, option);
    if (!most || value <= strtod(most, NULL))
        return false;
    cli_say("%s: %.3f s are more than %s", option, value, most);
    return true;
}

static bool are_seconds(const struct args *args, const char *option)
{
    const char *text = args_text(args, option);
    char *end = NULL;
    bool good = !text || (strtod(text, &end) > 0 && *end == '\0');
    if (!good)
        cli_say("--%s: %s is no number of seconds", option, text);
    return good;
}

static int judge(const struct args *args, const struct crowd_outcome *outcome)
{
    bool late = is_late(args, "max-p95", quantile(outcome, 0.95));
    late = is_late(args, "max-mean", mean(outcome)) || late;
    if (outcome->failed > 0)
        cli_say("%zu failed: %s", outcome->failed, outcome->error);
    return late || outcome->failed > 0 ? CLI_FAILED : CLI_OK;
}

static size_t questions_of(const struct args *args, const char **into)
{
    size_t count = 0, at = 0;
    for (const char *one; count < QUESTIONS_MAX && (one = args_next(args, "query", &at));)
        into[count++] = one;
    if (count > 0)
        return count;
    memcpy(into, usual, sizeof(usual));
    return SH_COUNT(usual);
}

/* Of this run, so that what an earlier one left in a cache is no answer. */
static uint32_t tag(void)
{
    uint32_t random;
    sh_random(&random, sizeof(random));
    return random | 1;
}

static int run_bench(struct cli *cli)
{
    const char *questions[QUESTIONS_MAX];
    const struct args *args = &cli->args;
    struct api_settings settings = cli_api_settings(cli);
    struct crowd_outcome outcome;
    settings.attempts = 1; /* what is put off counts */
    struct crowd crowd = {.settings = &settings,
                          .role = args_text(args, "as"),
                          .questions = questions,
                          .question_count = questions_of(args, questions),
                          .fresh = args_given(args, "fresh") ? tag() : 0,
                          .users = (unsigned)args_number(args, "users", USERS),
                          .requests = (unsigned)args_number(args, "requests", REQUESTS)};
    if (!are_seconds(args, "max-p95") || !are_seconds(args, "max-mean"))
        return CLI_USAGE;
    int code = cli_connect(cli);
    if (code != CLI_OK)
        return code;
    struct figures before = ask_figures(cli);
    if (!crowd_run(&crowd, &outcome)) {
        cli_say("out of memory");
        return CLI_FAILED;
    }
    struct figures after = ask_figures(cli);
    json_t *report = report_of(&crowd, &outcome);
    if (report)
        add_system(report, &before, &after);
    code = report ? print(cli, report) : CLI_FAILED;
    int judged = judge(args, &outcome);
    json_decref(report);
    crowd_free(&outcome);
    return code != CLI_OK ? code : judged;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "users", .letter = 'u', .type = OPTION_NUMBER, .value = "N",
     .help = "how many search at once (50)", .least = 1, .most = 2000},
    {.name = "requests", .letter = 'n', .type = OPTION_NUMBER, .value = "N",
     .help = "searches of each (10)", .least = 1, .most = 100000},
    {.name = "query", .letter = 'q', .type = OPTION_TEXT, .value = "TEXT", .repeated = true,
     .help = "a question to ask; ten usual ones without"},
    {.name = "fresh",
     .help = "no question twice, so that no cache answers it"},
    {.name = "as", .type = OPTION_TEXT, .value = "ROLE[:DEPARTMENT]",
     .help = "each user is one of its own with this role; for servers with AUTH_MODE=trusted"},
    {.name = "max-p95", .type = OPTION_TEXT, .value = "SECONDS",
     .help = "fail when the 95th percentile is longer"},
    {.name = "max-mean", .type = OPTION_TEXT, .value = "SECONDS",
     .help = "fail when the mean is longer"},
    {.name = "json", .help = "the report as JSON"},
    {0}};

const struct command bench_command = {
    .name = "bench",
    .summary = "measure searches of many users at once",
    .details =
        "All users begin together, each over a connection of its own, and ask one question "
        "after another. What limits refuse (429) is counted apart and is no failure. Processor "
        "time, memory, connections and the share that the cache answered are the services' own "
        "figures, for who may see them (permission operate).\n\n"
        "Ends with status 1 when a request failed or a bound was passed.",
    .options = options,
    .run = run_bench,
};
/* clang-format on */
