/* cairn history: the last hour of a gateway, and what was slow in its last minutes. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/operate/operate.h"
#include "cli/cairn/terminal.h"

enum { LABEL = 22 };

static double number_in(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* --- lines on a terminal ---------------------------------------------------------- */

/* Of a step: how many a second, or the number as it is; -1: it has none. */
static double value_of(const json_t *step, const char *name, bool rate)
{
    const json_t *value = json_object_get(step, name);
    double seconds = number_in(step, "seconds");

    if (!json_is_number(value) || (rate && seconds <= 0))
        return -1;
    return rate ? json_number_value(value) / seconds : json_number_value(value);
}

struct line {
    const char *label, *name, *unit;
    bool good; /* the lowest is told: it is the high ones that are well */
};

struct range {
    double least, most;
    bool known;
};

static struct range range_of(const json_t *steps, const struct line *line, bool rate)
{
    struct range range = {0};
    size_t i = 0;
    const json_t *step = NULL;
    json_array_foreach(steps, i, step)
    {
        double value = value_of(step, line->name, rate);
        if (value < 0)
            continue;
        range.least = range.known && range.least < value ? range.least : value;
        range.most = value > range.most ? value : range.most;
        range.known = true;
    }
    return range;
}

static const char *bar(double value, double most)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t last = sizeof(bars) / sizeof(bars[0]) - 1;

    if (value < 0)
        return " ";
    return bars[most > 0 ? (size_t)(value / most * (double)last + 0.5) : 0];
}

/* The last of the steps that the terminal has room for, the highest of all as a number; a
 * gap where nothing is known. */
static void print_line(const json_t *steps, const struct line *line, size_t room)
{
    bool rate = strcmp(line->unit, "/s") == 0;
    size_t count = json_array_size(steps);
    struct range range = range_of(steps, line, rate);

    printf("%-*s", LABEL, line->label);
    for (size_t i = count > room ? count - room : 0; i < count; i++)
        printf("%s",
               bar(value_of(json_array_get(steps, i), line->name, rate), range.most));
    if (!range.known)
        printf("  no figures\n");
    else if (line->good)
        printf("  at least %.3g%s\n", range.least, line->unit);
    else
        printf("  at most %.3g%s\n", range.most, line->unit);
}

static void print_lines(const json_t *history, size_t columns)
{
    static const struct line lines[] = {
        {"requests", "requests", "/s", false},
        {"errors (5xx)", "errors", "/s", false},
        {"refused", "refused", "/s", false},
        {"searches", "searches", "/s", false},
        {"search, 95% within", "search_p95", " s", false},
        {"recall of searches", "search_recall", "", true},
        {"search is behind", "search_lag", " s", false},
        {"graph is behind", "graph_lag", " s", false},
        {"under way", "in_flight", "", false},
        {"PostgreSQL, gateway", "pool_active", "", false},
        {"PostgreSQL, search", "search_pool_active", "", false},
        {"PostgreSQL, graph", "graph_pool_active", "", false}};
    enum { NUMBER = 24 };
    const json_t *steps = json_object_get(history, "steps");
    size_t room = columns > LABEL + NUMBER + 10 ? columns - LABEL - NUMBER : 10;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        print_line(steps, &lines[i], room);
    putchar('\n');
}

/* --- the answer ------------------------------------------------------------------- */

static void print_history(const json_t *history)
{
    static const struct table_column sums[] = {
        {"gateway", "instance", false},
        {"counted since", "begun_at", false},
        {"seconds", "sums.seconds", false},
        {"requests", "sums.requests", false},
        {"errors", "sums.errors", false},
        {"refused", "sums.refused", false},
        {"half within s", "sums.p50", false},
        {"95% within s", "sums.p95", false},
        {"searches", "sums.searches", false},
        {"search half within s", "sums.search_p50", false},
        {"search 95% within s", "sums.search_p95", false},
        {"cache hits", "sums.cache_hits", false},
        {"cache misses", "sums.cache_misses", false},
        {"recall", "sums.search_recall", false},
        {"search behind s", "sums.search_lag", false},
        {"graph behind s", "sums.graph_lag", false},
        {0}};
    static const struct table_column routes[] = {{"OPERATION", "operation", false},
                                                 {"REQUESTS", "requests", false},
                                                 {"ERRORS", "errors", false},
                                                 {"MEAN s", "mean", false},
                                                 {"HALF s", "p50", false},
                                                 {"95% s", "p95", false},
                                                 {"OVER 10 s", "beyond", false},
                                                 {"METHOD", "method", true},
                                                 {"PATH", "path", true},
                                                 {0}};
    struct terminal terminal = terminal_of(stdout);

    if (terminal.is_one)
        print_lines(history, terminal.columns);
    table_print_one(sums, history);
    if (!terminal.is_one)
        return; /* a line is a figure, for scripts; --json has all */
    putchar('\n');
    table_print(routes, json_object_get(history, "routes"));
}

static int run_history(struct cli *cli)
{
    char path[64];
    int code = CLI_FAILED;

    (void)snprintf(path, sizeof(path), "/api/admin/stats/history?minutes=%ld",
                   args_number(&cli->args, "minutes", 15));
    json_t *history = cli_get(cli, path, &code);
    if (history && args_given(&cli->args, "json"))
        code = cli_print_json(history);
    else if (history)
        print_history(history);
    json_decref(history);
    return code;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "minutes", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 60,
     .help = "what the sums and the operations are of (default: 15)"},
    {.name = "json", .help = "the answer as it is"},
    {0}};
/* clang-format on */

const struct command history_command = {
    .name = "history",
    .summary = "Show the gateway's last hour, and what was slow in it",
    .details =
        "On a terminal the last hour is drawn, in steps of 15 seconds. Below it are the "
        "sums of the last minutes, and the operations of these minutes, the slowest "
        "first; piped, the sums alone. Times are bounds of the histograms of /metrics. "
        "Recall, and how far search and graph are behind the record, are what these "
        "said; "
        "where they did not there is a gap. Of several gateways the one that answers "
        "tells of itself.",
    .options = options,
    .run = run_history};
