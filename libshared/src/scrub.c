#include <ctype.h>
#include <strings.h>

#include "shared/sentry.h"

#define REMOVED "[removed]"

/* Ends of words that name a secret, after which its value stands. */
static const char *const names[] = {
    "password", "passwd",  "pwd",           "secret",     "token",      "api_key",
    "apikey",   "api-key", "cookie",        "session",    "dsn",        "query",
    "csrf",     "key",     "authorization", "credential", "credentials"};
static const char *const schemes[] = {"bearer ", "basic ", "digest "};

static size_t starts_with_any(const char *at, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncasecmp(at, list[i], strlen(list[i])) == 0)
            return strlen(list[i]);
    return 0;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) != 0;
}

static bool in_token(char c)
{
    return in_word(c) || (c != '\0' && strchr("-_.+/=~%", c) != NULL);
}

static size_t token_length(const char *at)
{
    size_t len = 0;
    while (in_token(at[len]))
        len++;
    return len;
}

/* The value behind a name, a ':' or '=' and perhaps quotes; 0: there is none. `*skip` is
 * what stands before it. A value in quotes ends with them, another with white space or a
 * separator. */
static size_t value_after(const char *at, size_t *skip)
{
    size_t i = 0;
    char quote = '\0';

    if (at[i] == '"' || at[i] == '\'')
        i++;
    while (at[i] == ' ')
        i++;
    if (at[i] != ':' && at[i] != '=')
        return 0;
    i++;
    while (at[i] == ' ')
        i++;
    if (at[i] == '"' || at[i] == '\'')
        quote = at[i++];
    *skip = i;
    size_t len = 0;
    while (at[i + len] != '\0' && at[i + len] != quote &&
           (quote != '\0' || strchr(" \t\r\n,;&)}]", at[i + len]) == NULL))
        len++;
    /* "Authorization: Bearer x": the scheme is not all of it */
    if (quote == '\0' && starts_with_any(at + i, schemes, SH_COUNT(schemes)) > 0)
        len += 1 + token_length(at + i + len + 1);
    return len;
}

/* user:password@ of a URL, from behind its "//"; 0: there is none. */
static size_t credentials_length(const char *at)
{
    size_t len = strcspn(at, "/?# \t\r\n\"'<>");
    while (len > 0 && at[len] != '@')
        len--;
    return len;
}

/* eyJ… with two dots, as every JSON web token begins. */
static size_t jwt_length(const char *at)
{
    size_t len = strncmp(at, "eyJ", 3) == 0 ? token_length(at) : 0;
    return len > 20 && memchr(at, '.', len) != NULL ? len : 0;
}

struct secret {
    size_t kept;    /* bytes before it that stay */
    size_t removed; /* 0: there is none here */
};

static struct secret secret_at(const char *at, bool word_begins)
{
    struct secret found = {0, 0};
    size_t name;

    if (strncmp(at, "//", 2) == 0)
        return (struct secret){2, credentials_length(at + 2)};
    if (word_begins && (name = starts_with_any(at, schemes, SH_COUNT(schemes))) > 0)
        return (struct secret){name, token_length(at + name)};
    if (word_begins && (found.removed = jwt_length(at)) > 0)
        return found;
    name = starts_with_any(at, names, SH_COUNT(names));
    if (name > 0 && !in_word(at[name])) {
        size_t skip = 0;
        found.removed = value_after(at + name, &skip);
        found.kept = name + skip;
    }
    return found;
}

void sh_scrub(const char *text, struct sh_buffer *out)
{
    const char *at = text;

    while (*at != '\0') {
        struct secret secret = secret_at(at, at == text || !in_word(at[-1]));
        if (secret.removed > 0) {
            sh_buffer_append(out, at, secret.kept);
            sh_buffer_text(out, REMOVED);
            at += secret.kept + secret.removed;
        } else {
            sh_buffer_append(out, at++, 1);
        }
    }
}
