/* cairn status: every replica of every service, asked for now; cairn cache, cairn errors
 * and cairn maintenance. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/operate/operate.h"

enum { MEGA = 1000000 };

/* --- status ----------------------------------------------------------------------- */

static json_t *in(const json_t *object, const char *a, const char *b)
{
    return json_object_get(json_object_get(object, a), b);
}

/* The checks that are not well, by their names. */
static json_t *ailing(const json_t *replica)
{
    struct sh_buffer names = {0};
    const char *name = NULL;
    json_t *check = NULL;
    json_object_foreach(json_object_get(replica, "checks"), name, check)
    {
        if (json_is_false(json_object_get(check, "healthy")))
            sh_buffer_printf(&names, "%s%s", names.len > 0 ? " " : "", name);
    }
    json_t *text = json_stringn(names.data ? names.data : "", names.len);
    sh_buffer_free(&names);
    return text;
}

static json_t *row_of(const char *service, const json_t *replica)
{
    char pool[64] = "";
    json_int_t size = json_integer_value(in(replica, "database", "pool_size"));
    double bytes = json_number_value(json_object_get(replica, "resident_bytes"));
    double up = json_number_value(json_object_get(replica, "uptime"));
    if (size > 0)
        (void)snprintf(
            pool, sizeof(pool), "%lld/%lld",
            (long long)json_integer_value(in(replica, "database", "active_connections")),
            (long long)size);
    json_t *checks = json_object_get(replica, "checks");
    return json_pack("{s:s, s:O?, s:O?, s:O?, s:I, s:I, s:O?, s:O?, s:s, s:O?, s:o}",
                     "service", service, "status", json_object_get(replica, "status"),
                     "instance", json_object_get(replica, "instance"), "version",
                     json_object_get(replica, "version"), "uptime", (json_int_t)up,
                     "memory", (json_int_t)(bytes / MEGA), "requests",
                     json_object_get(replica, "requests_total"), "in_flight",
                     json_object_get(replica, "in_flight"), "pool", pool, "lag",
                     in(checks, "index", "lag_seconds"), "ailing", ailing(replica));
}

static void add_service(json_t *rows, const char *name, const json_t *service)
{
    size_t i = 0;
    const json_t *replica = NULL;
    json_t *replicas = json_object_get(service, "replicas");
    json_int_t absent = json_integer_value(json_object_get(service, "absent"));
    json_array_foreach(replicas, i, replica)
        json_array_append_new(rows, row_of(name, replica));
    for (json_int_t n = 0; n < absent; n++)
        json_array_append_new(
            rows, json_pack("{s:s, s:s}", "service", name, "status", "absent"));
    if (json_array_size(replicas) == 0 && absent == 0)
        json_array_append_new(rows,
                              json_pack("{s:s, s:s}", "service", name, "status", "none"));
}

/* Whether all of them are well. */
static bool all_well(const json_t *rows)
{
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(rows, i, row)
    {
        const char *status = json_string_value(json_object_get(row, "status"));
        if (!status || strcmp(status, "healthy") != 0)
            return false;
    }
    return true;
}

static int print_status(const json_t *stats)
{
    static const struct table_column columns[] = {
        {"SERVICE", "service", false},  {"STATUS", "status", false},
        {"VERSION", "version", false},  {"UP s", "uptime", false},
        {"MB", "memory", false},        {"REQUESTS", "requests", false},
        {"NOW", "in_flight", false},    {"POOL", "pool", false},
        {"LAG s", "lag", false},        {"AILING", "ailing", true},
        {"INSTANCE", "instance", true}, {0}};
    const char *name = NULL;
    json_t *service = NULL;
    json_t *rows = json_array();
    json_object_foreach(json_object_get(stats, "services"), name, service)
        add_service(rows, name, service);
    table_print(columns, rows);
    bool well = all_well(rows);
    json_decref(rows);
    return well ? CLI_OK : CLI_FAILED;
}

static int run_status(struct cli *cli)
{
    int code = CLI_FAILED;
    json_t *stats = cli_get(cli, "/api/admin/stats", &code);
    if (stats && args_given(&cli->args, "json"))
        code = cli_print_json(stats);
    else if (stats)
        code = print_status(stats);
    json_decref(stats);
    return code;
}

/* --- cache ------------------------------------------------------------------------ */

static int run_cache_stats(struct cli *cli)
{
    int code = CLI_FAILED;
    size_t i = 0;
    const json_t *gateway = NULL;
    json_t *stats = cli_get(cli, "/api/admin/stats", &code);
    json_t *told = json_pack("{s:O?}", "redis", json_object_get(stats, "cache"));
    json_array_foreach(in(json_object_get(stats, "services"), "gateway", "replicas"), i,
                       gateway)
        json_object_set(told, "answers", json_object_get(gateway, "answers"));
    if (stats) {
        static const struct table_column columns[] = {
            {"answers", "answers.entries", false},
            {"bytes", "answers.bytes", false},
            {"hits", "answers.hits", false},
            {"misses", "answers.misses", false},
            {"redis memory", "redis.used_memory", false},
            {"redis clients", "redis.connected_clients", false},
            {"redis hits", "redis.keyspace_hits", false},
            {"redis misses", "redis.keyspace_misses", false},
            {0}};
        if (args_given(&cli->args, "json"))
            code = cli_print_json(told);
        else
            table_print_one(columns, told);
    }
    json_decref(told);
    json_decref(stats);
    return code;
}

static int run_cache_clear(struct cli *cli)
{
    return answer_to(cli, "POST", "/api/admin/cache/clear", NULL, NULL);
}

/* --- errors, maintenance ---------------------------------------------------------- */

static int run_errors(struct cli *cli)
{
    return answer_get(cli, "/api/errors/stats", NULL);
}

static const char maintenance[] = "/api/admin/maintenance";
static const struct table_column maintenance_columns[] = {
    {"restoring", "restoring", false},
    {"active", "by_hand.active", false},
    {"until", "by_hand.until", false},
    {"reason", "by_hand.reason", false},
    {"entered by", "by_hand.entered_by", false},
    {"entered at", "by_hand.entered_at", false},
    {0}};

static int run_maintenance_show(struct cli *cli)
{
    return answer_get(cli, maintenance, maintenance_columns);
}

static int run_maintenance_enter(struct cli *cli)
{
    static const char *const said[] = {"reason", NULL};
    json_t *body =
        json_pack("{s:I}", "minutes", (json_int_t)args_number(&cli->args, "minutes", 15));
    if (body)
        answer_tell(cli, body, said);
    return body ? answer_to(cli, "POST", maintenance, body, maintenance_columns)
                : CLI_FAILED;
}

static int run_maintenance_leave(struct cli *cli)
{
    return answer_to(cli, "DELETE", maintenance, NULL, maintenance_columns);
}

/* clang-format off */
static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"}, {0}};
static const struct option_row enter_options[] = {
    {.name = "minutes", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 1440,
     .help = "when it ends by itself (default: 15)"},
    {.name = "reason", .type = OPTION_TEXT, .value = "TEXT", .help = "for people"},
    {.name = "json", .help = "the answer as it is"},
    {0}};

static const struct command cache_subs[] = {
    {.name = "stats", .summary = "Show how much is kept, and how often that helped",
     .options = json_options, .run = run_cache_stats},
    {.name = "clear", .summary = "Forget all kept answers, on every gateway",
     .options = json_options, .run = run_cache_clear},
    {0}};
static const struct command maintenance_subs[] = {
    {.name = "show", .summary = "Tell whether changes are refused, and why",
     .options = json_options, .run = run_maintenance_show},
    {.name = "enter", .summary = "Refuse changes for a time; reads go on",
     .options = enter_options, .run = run_maintenance_enter},
    {.name = "leave", .summary = "Take changes again",
     .options = json_options, .run = run_maintenance_leave},
    {0}};
/* clang-format on */

const struct command status_command = {
    .name = "status",
    .summary = "Show every replica of every service",
    .details =
        "Exit status 1 when one of them is not well, or absent. LAG is how far what "
        "is searched is behind what is stored, POOL the connections to PostgreSQL in "
        "use. `cairn health` tells of the checks, `cairn doctor` what to do.",
    .options = json_options,
    .run = run_status};

const struct command cache_command = {.name = "cache",
                                      .summary =
                                          "See and clear the answers that are kept",
                                      .subs = cache_subs};

const struct command errors_command = {.name = "errors",
                                       .summary = "Count what went wrong in the gateway",
                                       .options = json_options,
                                       .run = run_errors};

const struct command maintenance_command = {
    .name = "maintenance",
    .summary = "See, enter and leave the state in which nothing is changed",
    .subs = maintenance_subs};
