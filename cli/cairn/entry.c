#include "cli/cairn/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

enum { OLD_S = 15 * 60 };

int entry_keep(struct cli *cli)
{
    json_t *entry = api_json(&cli->reply);
    struct identity identity = {
        .token = json_string_value(json_object_get(entry, "access_token")),
        .csrf = json_string_value(json_object_get(entry, "csrf_token"))};
    if (identity.csrf)
        identity.session = cli->reply.cookie;
    if (!identity.token)
        cli_say("this server gives no tokens (JWT_SECRET_KEY is not set there)");
    int code =
        identity.token && settings_save(&cli->settings, &identity) ? CLI_OK : CLI_FAILED;
    json_decref(entry);
    return code;
}

static enum api_end ask(struct cli *cli, struct api *api, const char *path)
{
    char cookie[512];
    char csrf[512];
    const char *const headers[] = {cookie, csrf, NULL};
    (void)snprintf(cookie, sizeof(cookie), "Cookie: %s", cli->settings.session);
    (void)snprintf(csrf, sizeof(csrf), "X-CSRF-Token: %s",
                   cli->settings.csrf ? cli->settings.csrf : "");
    struct api_request request = {
        .method = "POST", .path = path, .headers = headers, .once = true};
    enum api_end end = api_call(api, &request, &cli->reply);
    explicit_bzero(cookie, sizeof(cookie));
    explicit_bzero(csrf, sizeof(csrf));
    return end;
}

/* A token would come before the cookie. */
static struct api *as_session(const struct cli *cli)
{
    struct api_settings settings = cli_api_settings(cli);
    settings.token = settings.key = NULL;
    if (strpbrk(cli->settings.session, "\r\n") ||
        (cli->settings.csrf && strpbrk(cli->settings.csrf, "\r\n")))
        return NULL;
    return api_new(&settings);
}

int entry_ask(struct cli *cli, const char *path)
{
    struct api *api = as_session(cli);
    int code = api ? cli_judge(ask(cli, api, path), &cli->reply) : CLI_FAILED;
    api_free(&api);
    return code;
}

/* --- renewing --------------------------------------------------------------------- */

/* The claims of a token; it is not verified: that is the server's part. NULL: no JWT. */
static json_t *claims_of(const char *token)
{
    char text[4096];
    size_t len = 0;
    const char *begin = strchr(token, '.');
    const char *end = begin ? strchr(begin + 1, '.') : NULL;
    if (!end || sodium_base642bin((unsigned char *)text, sizeof(text), begin + 1,
                                  (size_t)(end - begin - 1), NULL, &len, NULL,
                                  sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    return json_loadb(text, len, 0, NULL);
}

/* A session ends when it is not used for an hour or so, long before its token. */
static bool is_old(const char *token)
{
    json_t *claims = claims_of(token);
    json_int_t begun = json_integer_value(json_object_get(claims, "iat"));
    json_int_t ends = json_integer_value(json_object_get(claims, "exp"));
    json_int_t half = begun + (ends - begun) / 2;
    json_decref(claims);
    return begun > 0 && ends > begun &&
           time(NULL) > (half < begun + OLD_S ? half : begun + OLD_S);
}

static void take(struct cli *cli)
{
    struct settings *settings = &cli->settings;
    json_t *entry = api_json(&cli->reply);
    const char *token = json_string_value(json_object_get(entry, "access_token"));
    if (token && entry_keep(cli) == CLI_OK) {
        free(settings->renewed);
        settings->renewed = strdup(token);
        settings->token = settings->renewed;
        settings->session = settings->csrf = NULL; /* of before */
    }
    json_decref(entry);
}

/* So that it is not asked again and again; unless another process renewed it meanwhile,
 * which is why ours is over. */
static void forget_session(const struct cli *cli)
{
    struct settings now;
    if (settings_load(&now, &cli->args) && now.session &&
        strcmp(now.session, cli->settings.session) == 0)
        (void)settings_save(&now, &(struct identity){.token = now.token});
    settings_free(&now);
}

void entry_renew(struct cli *cli)
{
    const struct settings *settings = &cli->settings;
    if (!settings->session || !settings->token || !is_old(settings->token))
        return;
    struct api *api = as_session(cli);
    enum api_end end = api ? ask(cli, api, "/api/auth/refresh") : API_UNREACHABLE;
    if (end == API_ANSWERED && cli->reply.status == 200)
        take(cli);
    else if (end == API_ANSWERED && cli->reply.status == 401)
        forget_session(cli);
    api_free(&api);
}
