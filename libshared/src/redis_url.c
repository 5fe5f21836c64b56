#include "redis_url.h"

#include <ctype.h>
#include <stdlib.h>

#include "shared/mem.h"

SH_SETTINGS_DEFINE(sh_redis, "Redis", SH_REDIS_SETTINGS)

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The byte that %XX stands for; 0, which no text may hold, when it is none. */
static char unescape(const char *text, size_t left)
{
    if (left < 3 || !isxdigit((unsigned char)text[1]) ||
        !isxdigit((unsigned char)text[2]))
        return '\0';
    return (char)(16 * hex(text[1]) + hex(text[2]));
}

/* A copy with %XX decoded; *bad when that is not possible. */
static char *decode(const char *text, size_t len, bool *bad)
{
    char *out = sh_alloc(len + 1);
    size_t to = 0;

    for (size_t i = 0; out && i < len; i++) {
        out[to] = text[i];
        if (text[i] == '%') {
            out[to] = unescape(text + i, len - i);
            i += 2;
        }
        *bad = *bad || out[to] == '\0';
        to++;
    }
    return out;
}

static bool number(const char *text, size_t len, unsigned long most, unsigned long *out)
{
    char *end;

    if (len == 0 || len > 5 || !isdigit((unsigned char)*text))
        return false;
    *out = strtoul(text, &end, 10);
    return end == text + len && *out <= most;
}

static bool take_database(const char *text, size_t len, struct redis_address *out)
{
    unsigned long value = 0;

    if (len > 0 && !number(text, len, 65535, &value))
        return false;
    out->database = (unsigned)value;
    return true;
}

/* "host", "host:port", "[v6]:port" */
static bool take_host(const char *text, size_t len, struct redis_address *out)
{
    const char *end = text + len;
    const char *close = *text == '[' ? memchr(text, ']', len) : NULL;
    const char *colon =
        memchr(close ? close : text, ':', (size_t)(end - (close ? close : text)));
    const char *host_end = close ? close : colon ? colon : end;
    unsigned long port = 6379;

    if (*text == '[' && (!close || (close + 1 != end && close + 1 != colon)))
        return false;
    text += *text == '[';
    if (colon &&
        (!number(colon + 1, (size_t)(end - colon - 1), 65535, &port) || port == 0))
        return false;
    if (host_end == text)
        return false;
    out->host = sh_strndup(text, (size_t)(host_end - text));
    out->port = (uint16_t)port;
    return true;
}

/* "[user][:password]" in front of the @ */
static bool take_userinfo(const char *text, size_t len, struct redis_address *out)
{
    const char *colon = memchr(text, ':', len);
    size_t user_len = colon ? (size_t)(colon - text) : len;
    bool bad = false;

    if (user_len > 0)
        out->user = decode(text, user_len, &bad);
    if (colon)
        out->password = decode(colon + 1, len - user_len - 1, &bad);
    return !bad;
}

/* What follows redis:// */
static bool take_authority(const char *text, struct redis_address *out)
{
    size_t len = strcspn(text, "/?#");
    const char *at = memrchr(text, '@', len);
    const char *host = at ? at + 1 : text;
    const char *path = text + len;

    if (at && !take_userinfo(text, (size_t)(at - text), out))
        return false;
    if (!take_host(host, (size_t)(path - host), out))
        return false;
    return *path != '/' || take_database(path + 1, strcspn(path + 1, "?#"), out);
}

/* What follows unix://: "[:password@]/path[?db=n]" */
static bool take_path(const char *text, struct redis_address *out)
{
    size_t len = strcspn(text, "?");
    const char *slash = memchr(text, '/', len);
    const char *query = text[len] ? text + len + 1 : "";

    if (!slash || (slash > text && slash[-1] != '@'))
        return false;
    if (slash > text && !take_userinfo(text, (size_t)(slash - 1 - text), out))
        return false;
    out->path = sh_strndup(slash, (size_t)(text + len - slash));
    if (strncmp(query, "db=", 3) == 0)
        return take_database(query + 3, strlen(query + 3), out);
    return *query == '\0';
}

static const char *read_url(const char *url, struct redis_address *out)
{
    if (strncmp(url, "rediss://", 9) == 0)
        return "REDIS_URL: rediss:// is not supported, Redis is spoken to without TLS";
    if (strncmp(url, "redis://", 8) == 0)
        return take_authority(url + 8, out)
                   ? NULL
                   : "REDIS_URL: expected redis://[user][:password@]host[:port][/db]";
    if (strncmp(url, "unix://", 7) == 0)
        return take_path(url + 7, out)
                   ? NULL
                   : "REDIS_URL: expected unix://[:password@]/path[?db=n]";
    return "REDIS_URL: expected redis://… or unix://…";
}

enum sh_err redis_address_read(const struct sh_redis_config *config,
                               struct redis_address *out, const char **why)
{
    *out = (struct redis_address){0};
    *why = NULL;
    if (config->url && *config->url) {
        *why = read_url(config->url, out);
    } else {
        out->host = sh_strdup(config->host);
        out->port = (uint16_t)config->port;
    }
    if (!*why && !out->password && config->password && *config->password)
        out->password = sh_strdup(config->password);
    if (!*why && (out->host || out->path))
        return SH_OK;
    redis_address_free(out);
    return *why ? SH_INVALID : SH_NOMEM;
}

void redis_address_free(struct redis_address *address)
{
    sh_free(address->path);
    sh_free(address->host);
    sh_free(address->user);
    sh_free(address->password);
    *address = (struct redis_address){0};
}
