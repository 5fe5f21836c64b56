/* http_param: percent-decoding of what a URL bears. */
#include <utf8proc.h>

#include "http_internal.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_utf8(const char *text, size_t len)
{
    const utf8proc_uint8_t *at = (const void *)text;
    while (len > 0) {
        utf8proc_int32_t point;
        utf8proc_ssize_t used = utf8proc_iterate(at, (utf8proc_ssize_t)len, &point);
        if (used <= 0)
            return false;
        at += used;
        len -= (size_t)used;
    }
    return true;
}

/* One byte from the front of `text`; -1 for a bad escape or NUL. */
static int next_byte(struct sh_bytes *text, bool plus)
{
    const char *at = text->data;
    size_t used = 1;
    int byte = (unsigned char)*at;
    if (byte == '+' && plus) {
        byte = ' ';
    } else if (byte == '%') {
        int high = text->len < 3 ? -1 : hex(at[1]);
        int low = text->len < 3 ? -1 : hex(at[2]);
        if (high < 0 || low < 0)
            return -1;
        byte = high * 16 + low;
        used = 3;
    }
    *text = (struct sh_bytes){at + used, text->len - used};
    return byte == 0 ? -1 : byte;
}

static enum sh_err decode(struct sh_bytes text, bool plus, char *out, size_t size)
{
    size_t len = 0;
    if (size == 0)
        return SH_TOOBIG;
    while (text.len > 0) {
        int byte = next_byte(&text, plus);
        if (byte < 0)
            return SH_MALFORMED;
        if (len + 1 >= size)
            return SH_TOOBIG;
        out[len++] = (char)byte;
    }
    out[len] = '\0';
    return is_utf8(out, len) ? SH_OK : SH_MALFORMED;
}

enum sh_err sh_http_decode(struct sh_bytes text, char *out, size_t size)
{
    return decode(text, false, out, size);
}

/* A key may be escaped as well; a bad escape in it makes it another key. */
static bool is_key(struct sh_bytes key, const char *name)
{
    for (; key.len > 0; name++) {
        int byte = next_byte(&key, true);
        if (byte < 0 || byte != (unsigned char)*name)
            return false;
    }
    return *name == '\0';
}

static struct sh_bytes cut_at(struct sh_bytes *rest, char mark)
{
    const char *at = rest->data;
    const char *found = rest->len > 0 ? memchr(at, mark, rest->len) : NULL;
    struct sh_bytes part = {at, found ? (size_t)(found - at) : rest->len};
    size_t used = part.len + (found != NULL);
    *rest = (struct sh_bytes){at + used, rest->len - used};
    return part;
}

enum sh_err sh_http_param(const struct sh_http_request *request, const char *name,
                          char *out, size_t size)
{
    struct sh_bytes rest = request->parse.query;
    while (rest.len > 0) {
        struct sh_bytes value = cut_at(&rest, '&');
        struct sh_bytes key = cut_at(&value, '=');
        if (is_key(key, name))
            return decode(value, true, out, size);
    }
    return SH_NOTFOUND;
}
