/* cairn login, cairn logout: an identity that is kept in the profile. Secrets are typed
 * or piped, never arguments: those can be seen by others on the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/entry.h"
#include "cli/cairn/secret.h"

static bool read_name(const struct args *args, char *into, size_t size)
{
    const char *given = args_text(args, "username");
    if (given)
        return snprintf(into, size, "%s", given) < (int)size;
    if (!isatty(STDIN_FILENO))
        return false;
    (void)fprintf(stderr, "Username: ");
    return secret_line(stdin, into, size) && !cli_stop;
}

/* --- asking the server ------------------------------------------------------------ */

/* As nobody: what was kept so far may be the reason for logging in. */
static int ask(struct cli *cli, const char *path, struct sh_bytes body, const char *key)
{
    struct api_settings settings = cli_api_settings(cli);
    settings.token = NULL;
    settings.key = key;
    api_free(&cli->api);
    cli->api = api_new(&settings);
    return cli_ask(cli, &(struct api_request){.method = body.data ? "POST" : NULL,
                                              .path = path,
                                              .body = body});
}

static int login_by_password(struct cli *cli, const char *name, const char *password)
{
    json_t *body = json_pack("{s:s, s:s}", "username", name, "password", password);
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text) {
        cli_say("that is no text in UTF-8");
        return CLI_USAGE;
    }
    int code = ask(cli, "/api/auth/login", sh_bytes_of(text), NULL);
    explicit_bzero(text, strlen(text));
    free(text); /* jansson's */
    if (code != CLI_OK)
        return code == CLI_FAILED ? CLI_REFUSED : code;
    return entry_keep(cli);
}

/* A key that is no good is not kept. */
static int login_by_key(struct cli *cli, const char *key)
{
    int code = ask(cli, "/api/auth/me", (struct sh_bytes){0}, key);
    if (code == CLI_REFUSED && cli->reply.status == 403)
        code = CLI_OK; /* known, but not meant for that */
    if (code != CLI_OK)
        return code;
    return settings_save(&cli->settings, &(struct identity){.key = key}) ? CLI_OK
                                                                         : CLI_FAILED;
}

static int run_login(struct cli *cli)
{
    static struct secret secret;
    char name[256] = "";
    bool by_key = args_given(&cli->args, "api-key");
    int code = CLI_USAGE;
    if (strncmp(cli->settings.url, "https:", 6) != 0 && !api_is_local(cli->settings.url))
        cli_say("%s is not encrypted: others on the way can read what is sent",
                cli->settings.url);
    if (!by_key && !read_name(&cli->args, name, sizeof(name)))
        cli_say("no user name: --username NAME");
    else if (!secret_read(by_key ? "API key" : "Password", &secret))
        cli_say("nothing was read: type it, or pipe one line to standard input");
    else
        code = by_key ? login_by_key(cli, secret.text)
                      : login_by_password(cli, name, secret.text);
    secret_forget(&secret);
    if (code == CLI_OK)
        (void)printf("logged in to %s, profile %s\n", cli->settings.url,
                     cli->settings.profile);
    return cli_stop ? CLI_INTERRUPTED : code;
}

/* The session ends on the server, too; a token is good until it ends by itself. */
static int run_logout(struct cli *cli)
{
    if (cli->settings.session && entry_ask(cli, "/api/auth/logout") != CLI_OK)
        cli_say("the server was not told: its session ends by itself");
    if (!settings_save(&cli->settings, &(struct identity){0}))
        return CLI_FAILED;
    (void)printf("logged out, profile %s\n", cli->settings.profile);
    return CLI_OK;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "username", .letter = 'u', .type = OPTION_TEXT, .value = "NAME",
     .help = "asked for when absent"},
    {.name = "api-key", .help = "keep an API key, which is asked for, in place of a token"},
    {0}};
/* clang-format on */

const struct command login_command = {
    .name = "login",
    .summary = "Log in, and stay so",
    .details = "The password (or key) is asked for, or read as a line from standard "
               "input. The token is kept in ~/.config/cairn/config, which only you can "
               "read, and sent to that server alone.",
    .options = options,
    .run = run_login};

const struct command logout_command = {
    .name = "logout", .summary = "Forget the identity of the profile", .run = run_logout};
