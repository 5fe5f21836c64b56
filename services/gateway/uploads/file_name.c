#include "services/gateway/uploads/file_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "shared/mem.h"

enum { EXTENSION_MAX = 16 };

static struct sh_bytes last_part(struct sh_bytes path)
{
    const char *data = path.data;
    size_t start = path.len;

    while (start > 0 && data[start - 1] != '/' && data[start - 1] != '\\')
        start--;
    return (struct sh_bytes){data + start, path.len - start};
}

/* 0: nothing to see; ' ': white space. */
static utf8proc_int32_t shown(utf8proc_int32_t point)
{
    switch ((int)utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return ' ';
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
        return point == '\t' || point == '\n' || point == '\r' ? ' ' : 0;
    default:
        return point;
    }
}

/* Returns how long it is; `out` has room for `text.len` bytes. */
static size_t keep_shown(struct sh_bytes text, char *out)
{
    const utf8proc_uint8_t *at = text.data;
    size_t left = text.len;
    size_t len = 0;

    while (left > 0) {
        utf8proc_int32_t point;
        utf8proc_ssize_t used = utf8proc_iterate(at, (utf8proc_ssize_t)left, &point);
        size_t step = used > 0 ? (size_t)used : 1;
        point = used > 0 ? shown(point) : 0;
        at += step;
        left -= step;
        if (point == 0 || (point == ' ' && (len == 0 || out[len - 1] == ' ')))
            continue;
        len += (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out + len);
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    return len;
}

/* The beginning of a character at `len` or before it. */
static size_t cut_at(const char *text, size_t len)
{
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void shorten(const char *name, char out[static FILE_NAME_MAX])
{
    size_t len = strlen(name);
    const char *dot = strrchr(name, '.');
    size_t tail = dot != NULL ? len - (size_t)(dot - name) : 0;

    if (tail > EXTENSION_MAX)
        tail = 0;
    if (len < FILE_NAME_MAX) {
        memcpy(out, name, len + 1);
        return;
    }
    size_t head = cut_at(name, FILE_NAME_MAX - 1 - tail);
    memcpy(out, name, head);
    memcpy(out + head, name + len - tail, tail + 1);
}

enum sh_err file_name_clean(struct sh_bytes raw, char out[static FILE_NAME_MAX])
{
    struct sh_bytes part = last_part(raw);
    char *text = sh_alloc(part.len + 1);
    utf8proc_uint8_t *normal;

    if (text == NULL)
        return SH_NOMEM;
    text[keep_shown(part, text)] = '\0';
    normal = utf8proc_NFC((const utf8proc_uint8_t *)text);
    sh_free(text);
    if (normal == NULL)
        return SH_NOMEM;
    const char *name = (const char *)normal;
    bool none = name[strspn(name, ". ")] == '\0'; /* "", ".", ".." too */
    shorten(none ? "file" : name, out);
    free(normal);
    return SH_OK;
}

/* --- on the way out
 * --------------------------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("!#$&+-.^_`|~", c) != NULL;
}

static bool put(char *out, size_t size, size_t *len, const char *text, size_t bytes)
{
    if (bytes >= size - *len)
        return false;
    memcpy(out + *len, text, bytes);
    *len += bytes;
    out[*len] = '\0';
    return true;
}

void file_name_disposition(const char *name, char *out, size_t size)
{
    static const char before[] = "attachment; filename=\"";
    static const char long_form[] = "\"; filename*=UTF-8''";
    size_t len = 0;
    bool fits = put(out, size, &len, before, sizeof(before) - 1);

    for (const char *at = name; fits && *at != '\0'; at++)
        if (((unsigned char)*at & 0xc0) != 0x80) /* one for each character */
            fits = put(out, size - sizeof(long_form), &len,
                       is_plain(*at) || *at == ' ' ? at : "_", 1);
    size_t short_form = len;
    fits = put(out, size, &len, long_form, sizeof(long_form) - 1);
    for (const char *at = name; fits && *at != '\0'; at++) {
        char hex[4];
        (void)snprintf(hex, sizeof hex, "%%%02X", (unsigned char)*at);
        fits = is_plain(*at) ? put(out, size, &len, at, 1) : put(out, size, &len, hex, 3);
    }
    if (!fits)
        (void)snprintf(out + short_form, size - short_form, "\"");
}
