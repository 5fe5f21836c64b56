#include "services/gateway/limits/forwarded.h"

#include <strings.h>

/* The last item of a list separated by commas; `text` loses it. False: none is left. */
static bool take_last(struct sh_bytes *text, struct sh_bytes *item)
{
    if (text->data == NULL)
        return false;
    const char *start = text->data;
    const char *comma = text->len > 0 ? memrchr(start, ',', text->len) : NULL;
    size_t from = comma != NULL ? (size_t)(comma - start) + 1 : 0;

    *item = (struct sh_bytes){start + from, text->len - from};
    *text = comma != NULL ? (struct sh_bytes){start, from - 1} : (struct sh_bytes){0};
    return true;
}

/* From the right, up to the first hop that nobody vouches for. */
static void walk(const struct networks *trusted, struct sh_bytes line,
                 struct address *client, bool *stop)
{
    struct sh_bytes item;
    struct address hop;

    while (!*stop && take_last(&line, &item)) {
        if (address_read_hop(item, &hop)) {
            *client = hop;
            *stop = !networks_hold(trusted, &hop);
        } else {
            *stop = true;
        }
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool says_https(struct sh_bytes proto)
{
    struct sh_bytes last;

    if (!take_last(&proto, &last))
        return false;
    const char *at = last.data;
    size_t len = last.len;
    while (len > 0 && is_blank(at[len - 1]))
        len--;
    for (; len > 0 && is_blank(*at); at++)
        len--;
    return len == 5 && strncasecmp(at, "https", 5) == 0;
}

struct forwarded forwarded_resolve(const struct networks *trusted,
                                   const struct address *peer,
                                   const struct forwarded_headers *headers)
{
    struct forwarded result = {.client = *peer};
    bool stop = false;
    struct address real;

    if (!networks_hold(trusted, peer))
        return result;
    result.https = says_https(headers->proto);
    for (size_t i = headers->lines; i > 0 && !stop; i--)
        walk(trusted, headers->chain[i - 1], &result.client, &stop);
    if (headers->lines == 0 && headers->real.len > 0 &&
        address_read_hop(headers->real, &real))
        result.client = real;
    return result;
}
