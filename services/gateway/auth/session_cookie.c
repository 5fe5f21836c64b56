#include <stdio.h>

#include "services/gateway/auth/cookies.h"
#include "services/gateway/auth/sessions.h"
#include "shared/clock.h"
#include "shared/log.h"

bool session_cookie_secure(const struct gateway *gateway)
{
    return account_cookie_secure(&gateway->account_config, gateway->process.environment,
                                 gateway->config.api_host);
}

/* With the prefix a browser takes it from this host alone, by TLS alone: no neighbouring
 * host can plant one. */
static const char *cookie_name(bool secure)
{
    return secure ? "__Host-cairn_session" : "cairn_session";
}

struct sh_bytes session_cookie(const struct gateway *gateway,
                               const struct sh_http_request *request)
{
    struct sh_bytes value;

    if (cookie_get(sh_http_header(request, "Cookie"),
                   cookie_name(session_cookie_secure(gateway)), &value) != COOKIE_FOUND ||
        value.len != SESSION_ID)
        return (struct sh_bytes){0};
    return value;
}

static void set_cookie(const struct gateway *gateway, struct sh_http_request *request,
                       const char *id, int64_t age_s)
{
    bool secure = session_cookie_secure(gateway);
    const struct cookie cookie = {
        .name = cookie_name(secure),
        .value = sh_bytes_of(id),
        .secure = secure,
        .same_site = gateway->account_config.cookie_same_site,
        .max_age_s = age_s,
    };
    char text[256];

    if (cookie_write(&cookie, text, sizeof text) == SH_OK)
        sh_http_add_header(request, "Set-Cookie", text);
    else
        sh_error(sh_http_trace(request), "a session's cookie could not be written");
}

/* Seconds; -1: until the browser ends. */
static int64_t age_of(const struct gateway *gateway, const struct session *session)
{
    int64_t left;

    if (!session->lasting)
        return -1;
    if (session->ends_s == 0)
        return (int64_t)gateway->account_config.session_most_s;
    left = (int64_t)session->ends_s - (int64_t)sh_wall_time();
    return left > 0 ? left : 0;
}

void session_set_cookie(const struct gateway *gateway, struct sh_http_request *request,
                        const char *id, const struct session *session)
{
    set_cookie(gateway, request, id, age_of(gateway, session));
}

void session_drop_cookie(const struct gateway *gateway, struct sh_http_request *request)
{
    set_cookie(gateway, request, NULL, 0);
}
