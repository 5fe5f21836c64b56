#include "cli/cairn/text.h"

#include <string.h>

#include <utf8proc.h>

#define ELLIPSIS    "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

/* --- cleaning --------------------------------------------------------------------- */

/* Joiners are part of words of some scripts and of emoji; all other format characters
 * can only mislead. */
static bool is_hostile(utf8proc_int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    if (c == 0x200c || c == 0x200d)
        return false;
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

static void put(struct sh_buffer *out, utf8proc_int32_t c, struct sh_bytes bytes,
                enum text_lines lines)
{
    if (!is_hostile(c))
        sh_buffer_append(out, bytes.data, bytes.len);
    else if (c == '\n' && lines == TEXT_LINES)
        sh_buffer_text(out, "\n");
    else if (c == '\n' || c == '\t' || c == '\r' || c == 0x2028 || c == 0x2029)
        sh_buffer_text(out, " ");
    else if (c == 0xad) /* a soft hyphen is seen by no one */
        return;
    else if (c < 0x100)
        sh_buffer_printf(out, "\\x%02x", (unsigned)c);
    else
        sh_buffer_printf(out, "\\u{%x}", (unsigned)c);
}

void text_clean(struct sh_buffer *out, struct sh_bytes text, enum text_lines lines)
{
    const utf8proc_uint8_t *at = text.data;
    size_t left = text.len;
    while (left > 0) {
        utf8proc_int32_t c = -1;
        utf8proc_ssize_t len = utf8proc_iterate(at, (utf8proc_ssize_t)left, &c);
        if (len <= 0 || c < 0) {
            sh_buffer_text(out, REPLACEMENT);
            len = 1;
        } else {
            put(out, c, (struct sh_bytes){at, (size_t)len}, lines);
        }
        at += len;
        left -= (size_t)len;
    }
}

/* --- columns ---------------------------------------------------------------------- */

/* The next character; an escape sequence of ours is one of no width. */
static size_t step(struct sh_bytes text, size_t at, size_t *width)
{
    const utf8proc_uint8_t *data = text.data;
    utf8proc_int32_t c = -1;
    *width = 0;
    if (data[at] == '\x1b') {
        size_t end = at;
        while (end < text.len && data[end] != 'm')
            end++;
        return (end < text.len ? end + 1 : end) - at;
    }
    utf8proc_ssize_t len =
        utf8proc_iterate(data + at, (utf8proc_ssize_t)(text.len - at), &c);
    if (len <= 0)
        return 1;
    *width = (size_t)utf8proc_charwidth(c);
    return (size_t)len;
}

size_t text_width(struct sh_bytes text)
{
    size_t sum = 0;
    size_t width = 0;
    for (size_t at = 0; at < text.len; sum += width)
        at += step(text, at, &width);
    return sum;
}

void text_fit(struct sh_buffer *out, struct sh_bytes text, size_t columns, bool pad)
{
    struct sh_buffer clean = {0};
    text_clean(&clean, text, TEXT_ONE_LINE);
    struct sh_bytes all = sh_buffer_bytes(&clean);
    size_t used = text_width(all);
    if (used > columns) {
        size_t width = 0;
        size_t at = 0;
        used = 0;
        for (size_t len = 0; at < all.len; at += len, used += width) {
            len = step(all, at, &width);
            if (used + width + 1 > columns)
                break;
        }
        sh_buffer_append(out, all.data, at);
        sh_buffer_text(out, ELLIPSIS);
        used++;
    } else if (all.len > 0) {
        sh_buffer_append(out, all.data, all.len);
    }
    for (; pad && used < columns; used++)
        sh_buffer_text(out, " ");
    sh_buffer_free(&clean);
}

/* --- highlights ------------------------------------------------------------------- */

struct piece {
    const char *text;
    const char *becomes;
};

static const struct piece *piece_at(const struct piece *pieces, size_t count,
                                    const char *text, size_t left)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(pieces[i].text);
        if (len <= left && memcmp(pieces[i].text, text, len) == 0)
            return &pieces[i];
    }
    return NULL;
}

void text_marked(struct sh_buffer *out, struct sh_bytes highlight, const char *on,
                 const char *off)
{
    const struct piece pieces[] = {{"<em>", on},  {"</em>", off}, {"&amp;", "&"},
                                   {"&lt;", "<"}, {"&gt;", ">"},  {"&quot;", "\""},
                                   {"&#39;", "'"}};
    const char *data = highlight.data;
    size_t from = 0;
    for (size_t at = 0; at < highlight.len;) {
        const struct piece *piece =
            data[at] == '<' || data[at] == '&'
                ? piece_at(pieces, SH_COUNT(pieces), data + at, highlight.len - at)
                : NULL;
        if (!piece) {
            at++;
            continue;
        }
        text_clean(out, (struct sh_bytes){data + from, at - from}, TEXT_ONE_LINE);
        sh_buffer_text(out, piece->becomes);
        at += strlen(piece->text);
        from = at;
    }
    text_clean(out, (struct sh_bytes){data + from, highlight.len - from}, TEXT_ONE_LINE);
}

/* --- lines ------------------------------------------------------------------------ */

static void spaces(struct sh_buffer *out, size_t count)
{
    while (count-- > 0)
        sh_buffer_text(out, " ");
}

void text_wrap(struct sh_buffer *out, struct sh_bytes text, size_t columns, size_t indent)
{
    const char *data = text.data;
    size_t column = 0;
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && data[end] != ' ' && data[end] != '\n')
            end++;
        size_t width = text_width((struct sh_bytes){data + at, end - at});
        bool full = columns > 0 && column > 0 && indent + column + 1 + width > columns;
        if (width > 0 && full) {
            sh_buffer_text(out, "\n");
            column = 0;
        }
        if (end > at) {
            spaces(out, column == 0 ? indent : 1);
            sh_buffer_append(out, data + at, end - at);
            column += width + (column > 0);
        }
        if (end < text.len && data[end] == '\n') {
            sh_buffer_text(out, "\n");
            column = 0;
        }
        at = end + 1;
    }
    if (column > 0)
        sh_buffer_text(out, "\n");
}
