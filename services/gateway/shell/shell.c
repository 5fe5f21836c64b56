#include "services/gateway/shell/shell.h"

#include <stdio.h>
#include <string.h>

#include "services/gateway/shell/tls.h"

SH_SETTINGS_DEFINE(shell, "HTTP shell", SHELL_SETTINGS)

/* --- the headers ------------------------------------------------------------------ */

static bool is_line(const char *value)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < 0x20 || (unsigned char)*value > 0x7e)
            return false;
    return true;
}

static void line(struct sh_buffer *out, const char *name, const char *value)
{
    sh_buffer_printf(out, "%s: %s\r\n", name, value);
}

static void make_policy(const struct shell_config *config, struct sh_buffer *out)
{
    sh_buffer_printf(out, "Content-Security-Policy: %s", config->content_policy);
    if (strstr(config->content_policy, "frame-ancestors") == NULL)
        sh_buffer_printf(out, "; frame-ancestors %s",
                         strcmp(config->frame_options, "DENY") == 0 ? "'none'"
                                                                    : "'self'");
    sh_buffer_text(out, "\r\n");
}

static void make_headers(const struct shell_config *config, struct shell *shell)
{
    struct sh_buffer *out = &shell->always;

    if (cors_is_on(&shell->cors))
        line(out, "Vary", "Origin");
    if (!config->security_headers)
        return;
    line(out, "X-Content-Type-Options", "nosniff");
    line(out, "X-Frame-Options", config->frame_options);
    line(out, "X-XSS-Protection", "1; mode=block");
    line(out, "Referrer-Policy", config->referrer_policy);
    line(out, "Permissions-Policy", config->permissions_policy);
    line(out, "Cross-Origin-Opener-Policy", "same-origin");
    line(out, "Cross-Origin-Embedder-Policy", "require-corp");
    line(out, "Cross-Origin-Resource-Policy", "same-origin");
    make_policy(config, &shell->policy);
    if (config->hsts_max_age_s > 0)
        sh_buffer_printf(&shell->secure, "Strict-Transport-Security: max-age=%u%s\r\n",
                         config->hsts_max_age_s,
                         config->hsts_subdomains ? "; includeSubDomains" : "");
}

/* --- rules ------------------------------------------------------------------------ */

struct surroundings {
    const struct gateway_config *gateway;
    bool production;
};

static const char *check_tls(const struct shell_config *config,
                             const struct surroundings *around)
{
    bool cert = config->tls_cert_file[0] != '\0';

    if (cert != (config->tls_key_file[0] != '\0'))
        return "TLS_CERT_FILE and TLS_KEY_FILE go together";
    if (config->tls_port != 0 && !cert)
        return "TLS_PORT needs TLS_CERT_FILE and TLS_KEY_FILE";
    if (config->tls_port != 0 && config->tls_port == around->gateway->api_port)
        return "TLS_PORT and API_PORT are the same: without TLS_PORT, API_PORT speaks "
               "TLS";
    if (around->production && !cert && !config->behind_tls_proxy &&
        !settings_is_loopback(around->gateway->api_host))
        return "API_HOST is not a loopback address, and nothing speaks TLS: set "
               "TLS_CERT_FILE and TLS_KEY_FILE, or BEHIND_TLS_PROXY=true when a proxy "
               "does";
    return NULL;
}

static bool check(const struct shell_config *config, const struct shell *shell,
                  const struct surroundings *around, char *why, size_t size)
{
    const char *fault = check_tls(config, around);

    if (fault != NULL) {
        (void)snprintf(why, size, "%s", fault);
        return false;
    }
    if (!is_line(config->content_policy) || !is_line(config->permissions_policy)) {
        (void)snprintf(
            why, size,
            "CONTENT_SECURITY_POLICY and PERMISSIONS_POLICY are header values: "
            "printable ASCII");
        return false;
    }
    if (around->production && shell->cors.any) {
        (void)snprintf(why, size,
                       "CORS_ORIGINS=* is not for production: name the origins");
        return false;
    }
    return true;
}

enum sh_err shell_open(const struct shell_config *config,
                       const struct gateway_config *gateway, bool production,
                       struct shell *shell, char *why, size_t size)
{
    const struct surroundings around = {gateway, production};

    *shell = (struct shell){.config = config};
    enum sh_err err =
        cors_open(&shell->cors, config->cors_origins, config->cors_credentials,
                  config->cors_max_age_s, why, size);
    if (err == SH_OK && !check(config, shell, &around, why, size))
        err = SH_INVALID;
    if (err == SH_OK)
        make_headers(config, shell);
    if (err == SH_OK && (shell->always.err != SH_OK || shell->policy.err != SH_OK ||
                         shell->secure.err != SH_OK))
        err = SH_NOMEM;
    if (err == SH_OK)
        err = shell_tls_open(config, &shell->tls, why, size);
    if (err != SH_OK)
        shell_close(shell);
    return err;
}

void shell_close(struct shell *shell)
{
    sh_tls_close(&shell->tls);
    cors_close(&shell->cors);
    sh_buffer_free(&shell->always);
    sh_buffer_free(&shell->policy);
    sh_buffer_free(&shell->secure);
}

struct sh_http_fixed shell_fixed(const struct shell *shell)
{
    return (struct sh_http_fixed){
        .always = sh_buffer_bytes(&shell->always),
        .policy = sh_buffer_bytes(&shell->policy),
        .secure = sh_buffer_bytes(&shell->secure),
    };
}

/* --- requests --------------------------------------------------------------------- */

bool shell_enter(const struct shell *shell, struct sh_http_request *request,
                 const char *methods)
{
    if (!cors_is_on(&shell->cors) || !cors_apply(&shell->cors, request, methods))
        return false;
    sh_http_respond(request, 204, NULL, (struct sh_bytes){0});
    return true;
}
