/* cairn suggest: what may be meant by the beginning of a query. */
#include <stdlib.h>

#include "cli/cairn/answer.h"

static int run_suggest(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"KIND", "kind", false}, {"TEXT", "text", true}, {"ID", "id", false}, {0}};
    struct sh_buffer path = {0};
    struct sh_buffer typed = {0};
    args_phrase(&cli->args, &typed);
    sh_buffer_text(&path, "/api/suggest");
    api_query(&path, "q", typed.data);
    api_query(&path, "limit", args_text(&cli->args, "max"));
    sh_buffer_append(&path, "", 1);
    int code = typed.err == SH_OK && path.err == SH_OK
                   ? answer_list(cli, path.data, "suggestions", columns)
                   : CLI_FAILED;
    sh_buffer_free(&typed);
    sh_buffer_free(&path);
    return code;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 20, .help = "suggestions (default 8)"},
    {.name = "json", .help = "an object a line"},
    {0}};
/* clang-format on */

const struct command suggest_command = {
    .name = "suggest",
    .arguments = "QUERY...",
    .summary = "Complete the beginning of a query",
    .details = "Titles of documents, terms of the glossary, and the query with its last "
               "word completed; a line each: kind, text, id. Nothing is suggested but "
               "what one may read.",
    .options = options,
    .run = run_suggest,
    .least = 1,
    .most = -1};
