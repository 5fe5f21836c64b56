/* cairn audit: who did what. Pages are asked for by a cursor, and printed as they come.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/answer.h"

enum { PER_PAGE = 500, FEW = 50, CURSOR_MAX = 256 };

static json_t *fetch(struct cli *cli, const char *cursor, long limit, int *code)
{
    static const char *const asked[] = {"user",    "action", "kind",
                                        "outcome", "since",  "until"};
    struct sh_buffer path = {0};
    char number[24];
    (void)snprintf(number, sizeof(number), "%ld", limit);
    sh_buffer_text(&path, "/api/admin/audit");
    for (size_t i = 0; i < SH_COUNT(asked); i++)
        api_query(&path, asked[i], args_text(&cli->args, asked[i]));
    api_query(&path, "limit", number);
    api_query(&path, "cursor", *cursor ? cursor : NULL);
    sh_buffer_append(&path, "", 1);
    json_t *page = path.err == SH_OK ? cli_get(cli, path.data, code) : NULL;
    sh_buffer_free(&path);
    return page;
}

static int print(const struct cli *cli, const json_t *records)
{
    static const struct table_column columns[] = {{"TIME", "timestamp", false},
                                                  {"USER", "user_id", true},
                                                  {"ROLE", "user_role", false},
                                                  {"ACTION", "action", true},
                                                  {"TARGET", "target", true},
                                                  {"OUTCOME", "outcome", false},
                                                  {"FROM", "ip_address", false},
                                                  {"REQUEST", "request_id", false},
                                                  {0}};
    return answer_rows(cli, records, columns);
}

/* All is asked for by `--all`; a terminal gets the newest. */
static long most(const struct cli *cli)
{
    bool all = args_given(&cli->args, "all");
    return args_number(&cli->args, "max", all ? 0 : FEW);
}

static int run(struct cli *cli)
{
    char cursor[CURSOR_MAX] = "";
    long left = most(cli);
    bool endless = left == 0;
    int code = CLI_OK;
    bool more = true;
    while (more && (endless || left > 0)) {
        json_t *page =
            fetch(cli, cursor, endless || left > PER_PAGE ? PER_PAGE : left, &code);
        const json_t *records = json_object_get(page, "records");
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        if (page)
            code = print(cli, records);
        left -= (long)json_array_size(records);
        (void)snprintf(cursor, sizeof(cursor), "%s", next ? next : "");
        more = code == CLI_OK && next && json_array_size(records) > 0;
        json_decref(page);
    }
    return code;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "user", .letter = 'u', .type = OPTION_TEXT, .value = "ID",
     .help = "only of this user id"},
    {.name = "action", .letter = 'a', .type = OPTION_TEXT, .value = "NAME",
     .help = "only this operation, such as search_documents"},
    {.name = "kind", .letter = 'k', .type = OPTION_TEXT, .value = "KINDS",
     .help = "change, login, search, read or denied; several by commas"},
    {.name = "outcome", .type = OPTION_CHOICE, .value = "HOW",
     .choices = "ok denied invalid failed abandoned", .help = "only what ended so"},
    {.name = "since", .type = OPTION_TEXT, .value = "TIME",
     .help = "from then on: RFC 3339, a day, or seconds since 1970"},
    {.name = "until", .type = OPTION_TEXT, .value = "TIME", .help = "before then"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: 50)"},
    {.name = "all", .help = "however many there are"},
    {.name = "json", .help = "an object a line"},
    {0}};
/* clang-format on */

const struct command audit_command = {
    .name = "audit",
    .summary = "List who did what, newest first",
    .details = "`cairn audit --all --json >FILE` exports it. That nothing was changed or "
               "taken out is proven beside the database: `cairn-gateway --verify-audit`.",
    .options = options,
    .run = run};
