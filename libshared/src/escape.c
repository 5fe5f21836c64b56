#include "libshared/src/escape.h"

#include <utf8proc.h>

static size_t escape_unicode(int32_t c, char *out)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++)
        out[2 + i] = digits[(c >> (12 - 4 * i)) & 15];
    return 6;
}

static size_t escape_ascii(char c, char *out)
{
    static const char from[] = "\"\\\n\r\t";
    static const char to[] = "\"\\nrt";
    const char *found = c != '\0' ? strchr(from, c) : NULL;

    if (found) {
        out[0] = '\\';
        out[1] = to[found - from];
        return 2;
    }
    if ((unsigned char)c < 0x20 || c == 0x7f)
        return escape_unicode(c, out);
    out[0] = c;
    return 1;
}

/* Line ends beyond ASCII, and marks that let a terminal show something else than what is
 * written. */
static bool deceptive(int32_t c)
{
    return (c >= 0x80 && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

size_t sh_escape_plain(const char *text, const char *end)
{
    const char *at = text;
    while (at < end && *at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - text);
}

size_t sh_escape_next(const char **at, const char *end, char out[static SH_ESCAPE_MAX])
{
    if ((unsigned char)**at < 0x80)
        return escape_ascii(*(*at)++, out);

    utf8proc_int32_t c;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)*at, end - *at, &c);
    if (len <= 0) {
        (*at)++;
        return (size_t)utf8proc_encode_char(0xfffd, (utf8proc_uint8_t *)out);
    }
    if (deceptive(c)) {
        *at += len;
        return escape_unicode(c, out);
    }
    memcpy(out, *at, (size_t)len);
    *at += len;
    return (size_t)len;
}

void sh_buffer_json_text(struct sh_buffer *out, const char *text)
{
    const char *end = text + strlen(text);
    char escaped[SH_ESCAPE_MAX];

    sh_buffer_append(out, "\"", 1);
    while (text < end) {
        size_t plain = sh_escape_plain(text, end);
        sh_buffer_append(out, text, plain);
        text += plain;
        if (text < end) {
            size_t len = sh_escape_next(&text, end, escaped);
            sh_buffer_append(out, escaped, len);
        }
    }
    sh_buffer_append(out, "\"", 1);
}
