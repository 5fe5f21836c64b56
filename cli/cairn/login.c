/* cairn login, cairn logout: an identity that is kept in the profile. Secrets are typed
 * or piped, never arguments: those can be seen by others on the machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cairn/cli.h"

enum { SECRET_MAX = 8192 };

struct secret {
    char text[SECRET_MAX];
};

static void forget(struct secret *secret)
{
    explicit_bzero(secret->text, sizeof(secret->text));
}

/* --- typing --------------------------------------------------------------------------
 */

static bool read_line(FILE *from, char *into, size_t size)
{
    if (!fgets(into, (int)size, from))
        return false;
    size_t len = strcspn(into, "\r\n");
    if (len + 1 == size) /* cut: not what was meant */
        return false;
    into[len] = '\0';
    return len > 0;
}

/* On a terminal it does not show. */
static bool read_secret(const char *prompt, struct secret *secret)
{
    struct termios shown;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        struct termios hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)fprintf(stderr, "%s: ", prompt);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool good = read_line(stdin, secret->text, sizeof(secret->text));
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputc('\n', stderr);
    }
    return good && !cli_stop;
}

static bool read_name(const struct args *args, char *into, size_t size)
{
    const char *given = args_text(args, "username");
    if (given)
        return snprintf(into, size, "%s", given) < (int)size;
    if (!isatty(STDIN_FILENO))
        return false;
    (void)fprintf(stderr, "Username: ");
    return read_line(stdin, into, size) && !cli_stop;
}

/* --- asking the server ---------------------------------------------------------------
 */

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
    json_t *entry = api_json(&cli->reply);
    const char *token = json_string_value(json_object_get(entry, "access_token"));
    if (!token)
        cli_say("this server gives no tokens (JWT_SECRET_KEY is not set there)");
    code = token && settings_save(&cli->settings, token, NULL) ? CLI_OK : CLI_FAILED;
    json_decref(entry);
    return code;
}

/* A key that is no good is not kept. */
static int login_by_key(struct cli *cli, const char *key)
{
    int code = ask(cli, "/api/auth/me", (struct sh_bytes){0}, key);
    if (code == CLI_REFUSED && cli->reply.status == 403)
        code = CLI_OK; /* known, but not meant for that */
    if (code != CLI_OK)
        return code;
    return settings_save(&cli->settings, NULL, key) ? CLI_OK : CLI_FAILED;
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
    else if (!read_secret(by_key ? "API key" : "Password", &secret))
        cli_say("nothing was read: type it, or pipe one line to standard input");
    else
        code = by_key ? login_by_key(cli, secret.text)
                      : login_by_password(cli, name, secret.text);
    forget(&secret);
    if (code == CLI_OK)
        (void)printf("logged in to %s, profile %s\n", cli->settings.url,
                     cli->settings.profile);
    return cli_stop ? CLI_INTERRUPTED : code;
}

/* A token is good until it ends; forgetting it is what can be done here. */
static int run_logout(struct cli *cli)
{
    if (!settings_save(&cli->settings, NULL, NULL))
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
