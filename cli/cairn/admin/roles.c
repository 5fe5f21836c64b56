/* cairn roles: what each role may do. */
#include "cli/cairn/answer.h"

static int run_roles(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"NAME", "name", false},
        {"CLEARANCE", "clearance", false},
        {"DEPARTMENTS", "departments", false},
        {"RESULTS", "max_results", false},
        {"A MINUTE", "requests_per_minute", false},
        {"AN HOUR", "requests_per_hour", false},
        {"FROM", "source", false},
        {"MAY", "permissions", true},
        {0}};
    return answer_list(cli, "/api/admin/roles", "roles", columns);
}

static const struct option_row options[] = {{.name = "json", .help = "an object a line"},
                                            {0}};

const struct command roles_command = {
    .name = "roles",
    .summary = "See what each role may do",
    .details = "As the server has it now: from the table that is built in, or from its "
               "ROLES_FILE, which it reads again on SIGHUP. Results are limited by "
               "MAX_RESULTS_PER_QUERY, too.",
    .options = options,
    .run = run_roles};
