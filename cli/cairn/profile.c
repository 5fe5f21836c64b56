/* cairn profile: the servers that one goes to, and which of them when none is named. */
#include <stdio.h>
#include <string.h>

#include "cli/cairn/answer.h"

static const char *identity_of(const json_t *profile)
{
    if (json_object_get(profile, "session"))
        return "session";
    if (json_object_get(profile, "token"))
        return "token";
    return json_object_get(profile, "api_key") ? "key" : "none";
}

/* Without what is secret in it. */
static json_t *row_of(const struct cli *cli, const char *name, const json_t *profile)
{
    return json_pack("{s:s, s:O?, s:s, s:O?, s:b}", "profile", name, "url",
                     json_object_get(profile, "url"), "identity", identity_of(profile),
                     "cacert", json_object_get(profile, "cacert"), "used",
                     strcmp(name, cli->settings.profile) == 0);
}

static const json_t *find(const struct cli *cli, const char *name)
{
    const json_t *profile = json_object_get(cli->settings.all, name);
    if (json_is_object(profile))
        return profile;
    cli_say("no profile %s: `cairn profile list`", name);
    return NULL;
}

static int run_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"PROFILE", "profile", false},
                                                  {"USED", "used", false},
                                                  {"URL", "url", true},
                                                  {"IDENTITY", "identity", false},
                                                  {0}};
    json_t *rows = json_array();
    const char *name = NULL;
    json_t *profile = NULL;
    json_object_foreach(cli->settings.all, name, profile)
    {
        if (json_is_object(profile))
            json_array_append_new(rows, row_of(cli, name, profile));
    }
    int code = answer_rows(cli, rows, columns);
    json_decref(rows);
    return code;
}

static int run_show(struct cli *cli)
{
    const char *name =
        cli->args.word_count > 0 ? cli->args.words[0] : cli->settings.profile;
    const json_t *profile = find(cli, name);
    if (!profile)
        return CLI_FAILED;
    json_t *row = row_of(cli, name, profile);
    int code = cli_print_members(row, args_given(&cli->args, "json"));
    json_decref(row);
    return code;
}

static int keep(struct cli *cli, const char *did, const char *name)
{
    if (!settings_write(cli->settings.all))
        return CLI_FAILED;
    (void)printf("%s: %s\n", did, name);
    return CLI_OK;
}

static int run_use(struct cli *cli)
{
    const char *name = cli->args.words[0];
    if (strcmp(name, "default") != 0 && !find(cli, name))
        return CLI_FAILED;
    json_object_set_new(cli->settings.all, SETTINGS_USED, json_string(name));
    return keep(cli, "used when none is named", name);
}

/* What was in it is not read any more; a session ends by itself, or by `cairn logout`. */
static int run_delete(struct cli *cli)
{
    const char *name = cli->args.words[0];
    const char *used =
        json_string_value(json_object_get(cli->settings.all, SETTINGS_USED));
    if (!find(cli, name))
        return CLI_FAILED;
    if (used && strcmp(used, name) == 0)
        json_object_del(cli->settings.all, SETTINGS_USED);
    int code = json_object_del(cli->settings.all, name) == 0 ? CLI_OK : CLI_FAILED;
    return code == CLI_OK ? keep(cli, "deleted", name) : code;
}

/* clang-format off */
static const struct option_row list_options[] = {
    {.name = "json", .help = "an object a line"}, {0}};
static const struct option_row json_options[] = {
    {.name = "json", .help = "as JSON"}, {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List profiles; no secrets are shown",
     .options = list_options, .run = run_list},
    {.name = "show", .arguments = "[NAME]", .summary = "Show one, else the one in use",
     .options = json_options, .run = run_show, .most = 1},
    {.name = "use", .arguments = "NAME", .summary = "Take this one when none is named",
     .run = run_use, .least = 1, .most = 1},
    {.name = "delete", .arguments = "NAME", .summary = "Forget one, with its identity",
     .run = run_delete, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command profile_command = {
    .name = "profile",
    .summary = "See, choose and forget the servers that are known",
    .details = "`cairn login --profile NAME --url URL` makes one.",
    .subs = subs};
