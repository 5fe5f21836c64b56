#include "services/gateway/auth/cookies.h"

#include <stdio.h>

/* RFC 6265, section 4.1.1. */
static bool is_value_octet(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static bool is_value(struct sh_bytes text)
{
    const unsigned char *at = text.data;

    for (size_t i = 0; i < text.len; i++)
        if (!is_value_octet(at[i]))
            return false;
    return true;
}

static struct sh_bytes trim(struct sh_bytes text)
{
    const char *at = text.data;

    while (text.len > 0 && (at[0] == ' ' || at[0] == '\t')) {
        at++;
        text.len--;
    }
    while (text.len > 0 && (at[text.len - 1] == ' ' || at[text.len - 1] == '\t'))
        text.len--;
    return (struct sh_bytes){at, text.len};
}

static bool has_control(struct sh_bytes text)
{
    const unsigned char *at = text.data;

    for (size_t i = 0; i < text.len; i++)
        if ((at[i] < 0x20 && at[i] != '\t') || at[i] == 0x7f)
            return true;
    return false;
}

/* Take what stands before the next semicolon off the front. */
static struct sh_bytes next_pair(struct sh_bytes *rest)
{
    const char *at = rest->data;
    const char *end = memchr(at, ';', rest->len);
    size_t len = end != NULL ? (size_t)(end - at) : rest->len;
    size_t used = end != NULL ? len + 1 : len;

    *rest = (struct sh_bytes){at + used, rest->len - used};
    return trim((struct sh_bytes){at, len});
}

static bool is_named(struct sh_bytes pair, const char *name, struct sh_bytes *value)
{
    size_t len = strlen(name);
    const char *at = pair.data;

    if (pair.len <= len || memcmp(at, name, len) != 0 || at[len] != '=')
        return false;
    *value = (struct sh_bytes){at + len + 1, pair.len - len - 1};
    return true;
}

/* Other cookies may be as odd as other programs make them: they are not ours to judge. */
enum cookie_found cookie_get(struct sh_bytes header, const char *name,
                             struct sh_bytes *value)
{
    enum cookie_found found = COOKIE_ABSENT;

    *value = (struct sh_bytes){0};
    if (header.len == 0)
        return COOKIE_ABSENT;
    if (has_control(header))
        return COOKIE_BAD;
    while (header.len > 0) {
        struct sh_bytes pair = next_pair(&header);
        if (!is_named(pair, name, value))
            continue;
        if (found != COOKIE_ABSENT || !is_value(*value)) {
            *value = (struct sh_bytes){0};
            return COOKIE_BAD;
        }
        found = COOKIE_FOUND;
    }
    return found;
}

enum sh_err cookie_write(const struct cookie *cookie, char *into, size_t size)
{
    char age[40] = "";

    if (!is_value(cookie->value))
        return SH_INVALID;
    if (cookie->max_age_s >= 0)
        (void)snprintf(age, sizeof age, "; Max-Age=%lld", (long long)cookie->max_age_s);
    int len = snprintf(into, size, "%s=%.*s; Path=/; HttpOnly%s; SameSite=%s%s",
                       cookie->name, (int)cookie->value.len,
                       cookie->value.data != NULL ? (const char *)cookie->value.data : "",
                       cookie->secure ? "; Secure" : "", cookie->same_site, age);
    return len > 0 && (size_t)len < size ? SH_OK : SH_TOOBIG;
}
