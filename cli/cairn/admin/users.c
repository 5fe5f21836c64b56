/* cairn users: who may log in. */
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/admin/admin.h"
#include "cli/cairn/answer.h"
#include "cli/cairn/pages.h"
#include "cli/cairn/secret.h"

static const char *const said[] = {"role", "department", "campus", NULL};

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"NAME", "username", true},
                                                  {"ROLE", "role", false},
                                                  {"DEPARTMENT", "department", true},
                                                  {"CAMPUS", "campus", true},
                                                  {"ACTIVE", "active", false},
                                                  {"LOCKED", "locked", false},
                                                  {"LAST LOGIN", "last_login_at", false},
                                                  {"ID", "id", true},
                                                  {0}};
    struct sh_buffer path = {0};
    sh_buffer_text(&path, ADMIN_USERS);
    api_query(&path, "q", args_text(&cli->args, "begins"));
    return pages_print(cli, &path, "users", columns);
}

/* --- one -------------------------------------------------------------------------- */

static char *path_of(struct cli *cli, int *code)
{
    char *id = admin_user_id(cli, cli->args.words[0], code);
    char *path = id ? cli_path(ADMIN_USERS "/", id, "") : NULL;
    free(id);
    return path;
}

static int run_show(struct cli *cli)
{
    int code = CLI_FAILED;
    char *path = path_of(cli, &code);
    if (path)
        code = answer_get(cli, path, NULL);
    free(path);
    return code;
}

/* Lets the body go. */
static int change(struct cli *cli, json_t *body)
{
    int code = CLI_FAILED;
    char *path = path_of(cli, &code);
    if (path)
        code = answer_to(cli, "PUT", path, body, NULL);
    else
        json_decref(body);
    free(path);
    return code;
}

static int run_edit(struct cli *cli)
{
    json_t *body = json_object();
    answer_tell(cli, body, said);
    if (json_object_size(body) > 0)
        return change(cli, body);
    json_decref(body);
    cli_say("nothing to change: --role, --department, --campus");
    return CLI_USAGE;
}

static int run_disable(struct cli *cli)
{
    return change(cli, json_pack("{s:b}", "active", 0));
}

static int run_enable(struct cli *cli)
{
    return change(cli, json_pack("{s:b}", "active", 1));
}

static int run_unlock(struct cli *cli)
{
    return change(cli, json_pack("{s:b}", "locked", 0));
}

static int run_delete(struct cli *cli)
{
    int code = CLI_FAILED;
    char *path = path_of(cli, &code);
    if (path)
        code = answer_to(cli, "DELETE", path, NULL, NULL);
    free(path);
    return code;
}

/* --- passwords -------------------------------------------------------------------- */

static json_t *with_password(void)
{
    static struct secret secret;
    json_t *body = NULL;
    if (secret_choose("Password", &secret)) {
        body = json_pack("{s:s}", "password", secret.text);
        if (!body)
            cli_say("that is no text in UTF-8");
    }
    secret_forget(&secret);
    return body;
}

static int run_add(struct cli *cli)
{
    json_t *body = with_password();
    if (!body)
        return cli_stop ? CLI_INTERRUPTED : CLI_USAGE;
    json_object_set_new(body, "username", json_string(cli->args.words[0]));
    answer_tell(cli, body, said);
    if (args_given(&cli->args, "inactive"))
        json_object_set_new(body, "active", json_false());
    return answer_to(cli, "POST", ADMIN_USERS, body, NULL);
}

static int run_password(struct cli *cli)
{
    json_t *body = with_password();
    return body ? change(cli, body) : cli_stop ? CLI_INTERRUPTED : CLI_USAGE;
}

/* clang-format off */
#define JSON_OPTION {.name = "json", .help = "the answer as it is"}
#define WHAT_IS_SAID(role_help)                                                          \
    {.name = "role", .letter = 'r', .type = OPTION_TEXT, .value = "ROLE",                \
     .help = (role_help)},                                                                 \
    {.name = "department", .letter = 'd', .type = OPTION_TEXT, .value = "NAME",          \
     .help = "whose documents they reach"},                                              \
    {.name = "campus", .type = OPTION_TEXT, .value = "NAME", .help = "where they are"}
static const struct option_row list_options[] = {
    {.name = "begins", .letter = 'b', .type = OPTION_TEXT, .value = "TEXT",
     .help = "only those whose name begins so"},
    {.name = "max", .letter = 'n', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 1000000000, .help = "so many at most (default: all)"},
    {.name = "json", .help = "an object a line"},
    {0}};
static const struct option_row json_options[] = {JSON_OPTION, {0}};
static const struct option_row add_options[] = {
    WHAT_IS_SAID("student, staff, academic, admin, or one of the server's own"),
    {.name = "inactive", .help = "may not log in yet"},
    JSON_OPTION, {0}};
static const struct option_row edit_options[] = {
    WHAT_IS_SAID("another one; sessions end"), JSON_OPTION, {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List users by name", .options = list_options,
     .run = run_list},
    {.name = "show", .arguments = "USER", .summary = "Show a user",
     .options = json_options, .run = run_show, .least = 1, .most = 1},
    {.name = "add", .arguments = "NAME", .summary = "Make a user",
     .details = "The password is asked for, or read as a line from standard input.",
     .options = add_options, .run = run_add, .least = 1, .most = 1},
    {.name = "edit", .arguments = "USER", .summary = "Change role, department or campus",
     .details = "What is not named stays as it is.",
     .options = edit_options, .run = run_edit, .least = 1, .most = 1},
    {.name = "password", .arguments = "USER", .summary = "Give a user another password",
     .details = "It is asked for, or read as a line from standard input; all sessions of "
                "the user end.",
     .options = json_options, .run = run_password, .least = 1, .most = 1},
    {.name = "disable", .arguments = "USER", .summary = "Let a user log in no more",
     .options = json_options, .run = run_disable, .least = 1, .most = 1},
    {.name = "enable", .arguments = "USER", .summary = "Let a user log in again",
     .options = json_options, .run = run_enable, .least = 1, .most = 1},
    {.name = "unlock", .arguments = "USER",
     .summary = "End the lock that wrong passwords brought about",
     .options = json_options, .run = run_unlock, .least = 1, .most = 1},
    {.name = "delete", .arguments = "USER", .summary = "Remove a user",
     .options = json_options, .run = run_delete, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command users_command = {
    .name = "users", .summary = "See, make and change who may log in", .subs = subs};
