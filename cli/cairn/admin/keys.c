/* cairn keys: API keys, for programs. */
#include <stdlib.h>

#include "cli/cairn/admin/admin.h"
#include "cli/cairn/answer.h"
#include "cli/cairn/pages.h"

static const char keys[] = "/api/admin/keys";

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"ID", "id", false},
                                                  {"NAME", "name", true},
                                                  {"ROLE", "role", false},
                                                  {"USER", "username", true},
                                                  {"SCOPES", "scopes", true},
                                                  {"EXPIRES", "expires_at", false},
                                                  {"REVOKED", "revoked_at", false},
                                                  {"LAST USED", "last_used_at", false},
                                                  {0}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, keys);
    return pages_print(cli, &path, "keys", columns);
}

static int run_show(struct cli *cli)
{
    char *path = cli_path("/api/admin/keys/", cli->args.words[0], "");
    int code = answer_get(cli, path, NULL);
    free(path);
    return code;
}

static int run_revoke(struct cli *cli)
{
    char *path = cli_path("/api/admin/keys/", cli->args.words[0], "");
    int code = answer_to(cli, "DELETE", path, NULL, NULL);
    free(path);
    return code;
}

static int run_create(struct cli *cli)
{
    static const char *const said[] = {"role",       "user-id", "username",
                                       "department", "campus",  NULL};
    json_t *body = json_pack("{s:s}", "name", cli->args.words[0]);
    json_t *scopes = answer_texts(cli, "scope");
    long days = args_number(&cli->args, "days", 0);
    if (!body || !scopes || !args_given(&cli->args, "role")) {
        cli_say("--role ROLE and --scope PERMISSION say what it is good for");
        json_decref(scopes);
        json_decref(body);
        return CLI_USAGE;
    }
    answer_tell(cli, body, said);
    json_object_set_new(body, "scopes", scopes);
    json_object_set_new(body, "expires_in", json_integer(days * 24 * 60 * 60));
    int code = answer_to(cli, "POST", keys, body, NULL);
    if (code == CLI_OK)
        cli_say("the key is shown this once");
    return code;
}

/* clang-format off */
static const struct option_row list_options[] = {
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"}, {0}};
static const struct option_row create_options[] = {
    {.name = "role", .letter = 'r', .type = OPTION_TEXT, .value = "ROLE",
     .help = "whose rights it has at most"},
    {.name = "scope", .letter = 's', .type = OPTION_TEXT, .value = "PERMISSION",
     .repeated = true, .help = "what of them it is good for: search, write_documents, ..."},
    {.name = "days", .type = OPTION_NUMBER, .value = "N", .most = 3650,
     .help = "how long; 0, the default: until it is revoked"},
    {.name = "user-id", .type = OPTION_TEXT, .value = "ID",
     .help = "in whose name; your own when absent"},
    {.name = "username", .type = OPTION_TEXT, .value = "NAME", .help = "what they are called"},
    {.name = "department", .letter = 'd', .type = OPTION_TEXT, .value = "NAME",
     .help = "whose documents it reaches"},
    {.name = "campus", .type = OPTION_TEXT, .value = "NAME", .help = "where"},
    {.name = "json", .help = "the answer as it is"},
    {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List keys, newest first", .options = list_options,
     .run = run_list},
    {.name = "show", .arguments = "ID", .summary = "Show a key, but for its secret",
     .options = json_options, .run = run_show, .least = 1, .most = 1},
    {.name = "create", .arguments = "NAME", .summary = "Make a key for a program",
     .details = "The secret is in the answer, this once.",
     .options = create_options, .run = run_create, .least = 1, .most = 1},
    {.name = "revoke", .arguments = "ID", .summary = "Make a key worthless, at once and for good",
     .options = json_options, .run = run_revoke, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command keys_command = {
    .name = "keys", .summary = "See, make and revoke API keys", .subs = subs};
