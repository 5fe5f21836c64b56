/* cairn openapi: what the server says of its API. */
#include "cli/cairn/cli.h"
#include "cli/cairn/download.h"

static int run(struct cli *cli)
{
    return download_text(cli, args_given(&cli->args, "page") ? "/docs" : "/openapi.json");
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "page", .help = "the page for people, HTML"},
    {.name = "output", .letter = 'o', .type = OPTION_FILE, .value = "PATH",
     .help = "where to; - or absent: standard output"},
    {0}};
/* clang-format on */

const struct command openapi_command = {
    .name = "openapi",
    .summary = "Print what the server says of its API (OpenAPI 3.1)",
    .options = options,
    .run = run};
