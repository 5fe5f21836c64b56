/* cairn whoami, refresh, password: what concerns oneself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/entry.h"
#include "cli/cairn/secret.h"

static int run_whoami(struct cli *cli)
{
    static const struct table_column columns[] = {{"user", "username", false},
                                                  {"id", "user_id", false},
                                                  {"role", "role", false},
                                                  {"clearance", "clearance", false},
                                                  {"department", "department", false},
                                                  {"campus", "campus", false},
                                                  {0}};
    return answer_get(cli, "/api/auth/me", columns);
}

static int run_refresh(struct cli *cli)
{
    if (!cli->settings.session) {
        cli_say("profile %s has no session: `cairn login`", cli->settings.profile);
        return CLI_REFUSED;
    }
    int code = entry_ask(cli, "/api/auth/refresh");
    if (code == CLI_OK)
        code = entry_keep(cli);
    if (code == CLI_OK)
        (void)printf("a new token, profile %s\n", cli->settings.profile);
    return code;
}

/* --- password --------------------------------------------------------------------- */

static int change(struct cli *cli, const char *old, const char *new)
{
    json_t *body = json_pack("{s:s, s:s}", "current_password", old, "new_password", new);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text) {
        cli_say("that is no text in UTF-8");
        return CLI_USAGE;
    }
    int code = cli_ask(cli, &(struct api_request){.method = "POST",
                                                  .path = "/api/auth/password",
                                                  .body = sh_bytes_of(text)});
    explicit_bzero(text, strlen(text));
    free(text); /* jansson's */
    return code;
}

/* What came from the environment is not kept. */
static int run_password(struct cli *cli)
{
    static struct secret old, new;
    const struct settings *settings = &cli->settings;
    int code = CLI_USAGE;
    if (!secret_read("Password so far", &old))
        cli_say(
            "nothing was read: type it, or pipe two lines, the old one and the new one");
    else if (secret_choose("New password", &new))
        code = change(cli, old.text, new.text);
    secret_forget(&old);
    secret_forget(&new);
    bool kept = !getenv("CAIRN_TOKEN") && !getenv("CAIRN_API_KEY") && settings->token;
    if (code == CLI_OK && kept)
        code = entry_keep(cli);
    if (code == CLI_OK)
        (void)printf("the password is changed; other sessions are over\n");
    return cli_stop ? CLI_INTERRUPTED : code;
}

static const struct option_row json_options[] = {
    {.name = "json", .help = "the answer as it is"}, {0}};

const struct command whoami_command = {.name = "whoami",
                                       .summary = "Tell as whom the server sees you",
                                       .options = json_options,
                                       .run = run_whoami};

const struct command refresh_command = {
    .name = "refresh",
    .summary = "Renew the token of the profile",
    .details =
        "With the session that came with it; that happens by itself, too, whenever a "
        "command finds a token of more than a quarter of an hour. A session ends when "
        "it is not used for as long as the server says (an hour): then `cairn login`.",
    .run = run_refresh};

const struct command password_command = {
    .name = "password",
    .summary = "Change your own password",
    .details = "Both are asked for, or read as two lines from standard input.",
    .run = run_password};
