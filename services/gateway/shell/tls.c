#include "services/gateway/shell/tls.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "services/gateway/shell/shell.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum { WARN_DAYS = 14, DAY_S = 86400, TARGET_MAX = 4096 };

static struct sh_family expires_family = {
    .kind = SH_GAUGE,
    .name = "cairn_gateway_tls_certificate_expires_timestamp_seconds",
    .help = "When the certificate of the public port ends, in Unix seconds",
};
static struct sh_family reloads_family = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_tls_reloads_total",
    .help = "Certificates that were read again",
    .labels = {"result"},
};

static void tell_expiry(struct sh_tls *tls)
{
    double expires = sh_tls_expires(tls);
    double left = expires - (double)time(NULL);

    sh_series_set(sh_series(&expires_family, NULL), expires);
    if (left < 0)
        sh_error(NULL, "the certificate of the public port has expired");
    else if (left < WARN_DAYS * DAY_S)
        sh_warning(NULL, "the certificate of the public port ends in %.0f days",
                   left / DAY_S);
}

enum sh_err shell_tls_open(const struct shell_config *config, struct sh_tls **tls,
                           char *why, size_t size)
{
    const struct sh_tls_options options = {
        .cert_file = config->tls_cert_file,
        .key_file = config->tls_key_file,
        .tls13_only = strcmp(config->tls_min_version, "1.3") == 0,
        .ticket_s = config->tls_ticket_s,
    };
    *tls = NULL;
    if (config->tls_cert_file[0] == '\0')
        return SH_OK;
    enum sh_err err = sh_tls_open(&options, tls, why, size);
    if (err == SH_OK)
        tell_expiry(*tls);
    return err;
}

void shell_reload(struct shell *shell)
{
    char why[256] = "out of memory";

    if (shell->tls == NULL)
        return;
    if (sh_tls_reload(shell->tls, why, sizeof why) == SH_OK) {
        sh_count(&reloads_family, "ok");
        sh_info(NULL, "the certificate of the public port was read again");
        tell_expiry(shell->tls);
    } else {
        sh_count(&reloads_family, "failed");
        sh_error(NULL, "the certificate of the public port stays as it was: %s", why);
    }
}

/* --- the plain port beside it ----------------------------------------------------- */

static bool is_reading(const struct sh_http_request *request)
{
    return sh_bytes_is(sh_http_method(request), "GET") ||
           sh_bytes_is(sh_http_method(request), "HEAD");
}

/* Host and no port: brackets of IPv6 stay. */
static struct sh_bytes host_of(const struct shell_config *config,
                               const struct sh_http_request *request)
{
    struct sh_bytes host = sh_http_header(request, "Host");
    const char *text = host.data;

    if (config->server_name[0] != '\0')
        return sh_bytes_of(config->server_name);
    for (size_t i = host.len; i > 0 && text[i - 1] != ']'; i--)
        if (text[i - 1] == ':')
            return (struct sh_bytes){text, i - 1};
    return host;
}

static bool write_target(const struct shell_config *config,
                         const struct sh_http_request *request, char *out, size_t size)
{
    struct sh_bytes host = host_of(config, request);
    struct sh_bytes path = sh_http_path(request);
    struct sh_bytes query = sh_http_query(request);
    char port[16] = "";

    if (config->tls_port != 443)
        (void)snprintf(port, sizeof port, ":%u", config->tls_port); /* fits */
    int len = snprintf(out, size, "https://%.*s%s%.*s%s%.*s", (int)host.len,
                       (const char *)host.data, port, (int)path.len,
                       (const char *)path.data, query.len > 0 ? "?" : "", (int)query.len,
                       query.len > 0 ? (const char *)query.data : "");
    return host.len > 0 && len > 0 && (size_t)len < size;
}

void shell_redirect(void *arg, struct sh_http_request *request)
{
    const struct shell *shell = arg;
    char target[TARGET_MAX];

    if (is_reading(request) &&
        write_target(shell->config, request, target, sizeof target)) {
        sh_http_add_header(request, "Location", target);
        sh_http_add_header(request, "Cache-Control", "no-store");
        sh_http_respond(request, 308, NULL, (struct sh_bytes){0});
        return;
    }
    sh_http_add_header(request, "Connection", "close");
    sh_http_fail(request,
                 &(struct sh_problem){.status = 403,
                                      .code = "tls_required",
                                      .error = "this port speaks no TLS: what was sent "
                                               "here could be read by others"});
}
