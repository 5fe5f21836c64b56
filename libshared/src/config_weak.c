/* Secrets that everybody knows. */
#include <strings.h>

#include "libshared/src/config_value.h"
#include "shared/bytes.h"

enum { SECRET_MIN = 8 };

/* Defaults and examples, of PostgreSQL, Redis and manuals; the shorter ones are refused
 * for their length. */
static const char *const known[] = {
    "password",   "passw0rd",   "password1",     "password123",
    "postgres",   "postgresql", "redispassword", "changeme",
    "changeit",   "change-me",  "change_me",     "change-in-production",
    "secretkey",  "secret-key", "secret_key",    "your-secret-key",
    "default",    "12345678",   "123456789",     "1234567890",
    "qwertyuiop", "letmein1",   "administrator",
};

/* The password of "scheme://user:password@host"; empty when there is none. */
static struct sh_bytes password_of(const char *url)
{
    const char *start = strstr(url, "://");
    const char *at = strrchr(url, '@');
    const char *colon = start ? strchr(start + 3, ':') : NULL;

    if (!colon || !at || colon > at)
        return (struct sh_bytes){0};
    return (struct sh_bytes){colon + 1, (size_t)(at - colon - 1)};
}

static bool is_one_character(struct sh_bytes text)
{
    const char *bytes = text.data;

    return text.len > 0 && memcmp(bytes, bytes + 1, text.len - 1) == 0;
}

static bool is_weak(struct sh_bytes secret)
{
    if (secret.len == 0) /* peers, certificates: nothing to guess */
        return false;
    if (secret.len < SECRET_MIN || is_one_character(secret))
        return true;
    for (size_t i = 0; i < SH_COUNT(known); i++)
        if (strlen(known[i]) == secret.len &&
            strncasecmp(secret.data, known[i], secret.len) == 0)
            return true;
    return false;
}

static void check_row(const struct sh_setting *row, const void *from,
                      struct sh_buffer *faults)
{
    struct sh_bytes secret = {0};
    const char *text;

    if (!sh_config_is_text(row) || !(text = sh_config_get(row, from).text))
        return;
    if (row->type == SH_SETTING_url)
        secret = password_of(text);
    else if (row->flags & SH_SECRET)
        secret = sh_bytes_of(text);
    if (is_weak(secret))
        sh_buffer_printf(faults,
                         "%s: a password that is short or well known is refused in "
                         "production\n",
                         row->name);
}

void sh_config_refuse_weak(const struct sh_settings *groups, size_t count,
                           struct sh_buffer *faults)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < groups[i].count; k++)
            check_row(&groups[i].rows[k], groups[i].into, faults);
}
