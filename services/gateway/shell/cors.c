#include "services/gateway/shell/cors.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "shared/mem.h"

/* --- the list --------------------------------------------------------------------- */

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Host, or [IPv6]; then nothing, or a port. Returns where the port's colon is or would
 * be; 0 when it is no host. */
static size_t host_len(const char *text)
{
    size_t len = 0;
    if (text[0] == '[') {
        len = strspn(text + 1, "0123456789abcdef:.") + 1;
        return len > 1 && text[len] == ']' ? len + 1 : 0;
    }
    while (is_host_byte(text[len]))
        len++;
    return len;
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 5 && text[digits] == '\0' && text[0] != '0';
}

/* Browsers write origins in small letters and leave out the usual port. */
static bool normalise(const char *text, size_t len, char out[static CORS_ORIGIN_BYTES])
{
    if (len >= CORS_ORIGIN_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] =
            (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    out[len] = '\0';
    bool tls = strncmp(out, "https://", 8) == 0;
    if (!tls && strncmp(out, "http://", 7) != 0)
        return false;
    char *host = out + (tls ? 8 : 7);
    char *port = host + host_len(host);
    if (port == host || (*port != '\0' && *port != ':'))
        return false;
    if (*port == ':' && !is_port(port + 1))
        return false;
    if (strcmp(port, tls ? ":443" : ":80") == 0)
        *port = '\0';
    return true;
}

struct listing {
    struct cors *cors;
    char *why;
    size_t size;
};

static enum sh_err add(const struct listing *listing, const char *text, size_t len)
{
    struct cors *cors = listing->cors;
    if (len == 1 && text[0] == '*') {
        cors->any = true;
        return SH_OK;
    }
    if (cors->count == CORS_ORIGINS_MAX) {
        (void)snprintf(listing->why, listing->size,
                       "CORS_ORIGINS has more than %d origins", CORS_ORIGINS_MAX);
        return SH_INVALID;
    }
    if (!normalise(text, len, cors->origins[cors->count])) {
        (void)snprintf(listing->why, listing->size,
                       "CORS_ORIGINS: '%.*s' is not scheme://host or scheme://host:port",
                       len < 100 ? (int)len : 100, text);
        return SH_INVALID;
    }
    cors->count++;
    return SH_OK;
}

static enum sh_err read_array(const struct listing *listing, const char *text)
{
    enum sh_err err = SH_OK;
    size_t at;
    json_t *item;
    json_t *array = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(array)) {
        (void)snprintf(listing->why, listing->size, "CORS_ORIGINS is not a JSON array");
        json_decref(array);
        return SH_INVALID;
    }
    json_array_foreach(array, at, item)
    {
        const char *origin = json_string_value(item);
        if (err == SH_OK)
            err = add(listing, origin ? origin : "", json_string_length(item));
    }
    json_decref(array);
    return err;
}

static enum sh_err read_list(const struct listing *listing, const char *text)
{
    enum sh_err err = SH_OK;
    while (*text != '\0' && err == SH_OK) {
        text += strspn(text, " \t,");
        size_t len = strcspn(text, ",");
        size_t trimmed = len;
        while (trimmed > 0 && (text[trimmed - 1] == ' ' || text[trimmed - 1] == '\t'))
            trimmed--;
        if (trimmed > 0)
            err = add(listing, text, trimmed);
        text += len;
    }
    return err;
}

enum sh_err cors_open(struct cors *cors, const char *origins, bool credentials,
                      uint32_t max_age_s, char *why, size_t size)
{
    const struct listing listing = {cors, why, size};
    const char *text = origins + strspn(origins, " \t");

    *cors = (struct cors){.credentials = credentials};
    (void)snprintf(cors->max_age, sizeof cors->max_age, "%u", max_age_s); /* fits */
    cors->origins = sh_alloc_array(CORS_ORIGINS_MAX, sizeof *cors->origins);
    if (cors->origins == NULL)
        return SH_NOMEM;
    enum sh_err err =
        text[0] == '[' ? read_array(&listing, text) : read_list(&listing, text);
    if (err == SH_OK && cors->any && credentials) {
        (void)snprintf(
            why, size,
            "CORS_ORIGINS=* and CORS_ALLOW_CREDENTIALS=true exclude each other: "
            "any page could act as its visitor");
        err = SH_INVALID;
    }
    if (err != SH_OK)
        cors_close(cors);
    return err;
}

void cors_close(struct cors *cors)
{
    sh_free(cors->origins);
    *cors = (struct cors){0};
}

/* --- requests --------------------------------------------------------------------- */

bool cors_allows(const struct cors *cors, struct sh_bytes origin)
{
    if (origin.len == 0 || sh_bytes_is(origin, "null"))
        return false;
    if (cors->any)
        return true;
    for (size_t i = 0; i < cors->count; i++)
        if (sh_bytes_is(origin, cors->origins[i]))
            return true;
    return false;
}

static const char *name_of(const struct cors *cors, struct sh_bytes origin)
{
    for (size_t i = 0; i < cors->count && !cors->any; i++)
        if (sh_bytes_is(origin, cors->origins[i]))
            return cors->origins[i];
    return "*";
}

bool cors_apply(const struct cors *cors, struct sh_http_request *request,
                const char *methods)
{
    struct sh_bytes origin = sh_http_header(request, "Origin");

    if (!cors_allows(cors, origin))
        return false;
    sh_http_add_header(request, "Access-Control-Allow-Origin", name_of(cors, origin));
    if (cors->credentials)
        sh_http_add_header(request, "Access-Control-Allow-Credentials", "true");
    if (sh_bytes_is(sh_http_method(request), "OPTIONS") && methods != NULL &&
        sh_http_header(request, "Access-Control-Request-Method").len > 0) {
        sh_http_add_header(request, "Access-Control-Allow-Methods", methods);
        sh_http_add_header(request, "Access-Control-Allow-Headers",
                           "Authorization, Content-Type, Idempotency-Key, X-API-Key, "
                           "X-CSRF-Token, X-Request-ID, traceparent");
        sh_http_add_header(request, "Access-Control-Max-Age", cors->max_age);
        return true;
    }
    sh_http_add_header(request, "Access-Control-Expose-Headers",
                       "Location, RateLimit, RateLimit-Policy, Retry-After, X-Cache, "
                       "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
                       "X-Request-ID, X-Response-Time");
    return false;
}
