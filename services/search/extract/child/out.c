#include "services/search/extract/child/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <utf8proc.h>

enum {
    PART_BYTES = 1 << 20, /* a longer section is cut, at white space if there is any */
    SECTIONS_MAX = 60000, /* a document has 65,536 at most */
    TITLE_MAX = 2048,
};

void out_refuse(struct out *out, const char *code, const char *format, ...)
{
    va_list args;

    if (out->code != NULL)
        return;
    out->code = code;
    va_start(args, format);
    (void)vsnprintf(out->message, sizeof(out->message), format, args);
    va_end(args);
}

struct sh_bytes out_trim(struct sh_bytes text)
{
    const char *at = text.data;
    size_t from = 0;
    size_t to = text.len;

    if (to == 0)
        return text; /* it may be NULL */
    while (from < to && (at[from] == ' ' || (at[from] >= '\t' && at[from] <= '\r')))
        from++;
    while (to > from && (at[to - 1] == ' ' || (at[to - 1] >= '\t' && at[to - 1] <= '\r')))
        to--;
    return (struct sh_bytes){at + from, to - from};
}

/* --- cleaning --------------------------------------------------------------------- */

/* What stands for this character: itself, white space, or nothing (0). */
static utf8proc_int32_t cleaned(utf8proc_int32_t c)
{
    if (c == '\n' || c == '\t')
        return c;
    if (c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029 || c == 0x85)
        return '\n';
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfeff)
        return 0;
    return c;
}

static void append(struct sh_buffer *to, utf8proc_int32_t c)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t len = utf8proc_encode_char(c, bytes);

    if (len > 0)
        sh_buffer_append(to, bytes, (size_t)len);
}

/* The next character of `text` at *at; U+FFFD for each byte that is none. */
static utf8proc_int32_t next(struct sh_bytes text, size_t *at)
{
    const uint8_t *bytes = text.data;
    utf8proc_int32_t c;
    utf8proc_ssize_t used;

    if (bytes[*at] < 0x80)
        return bytes[(*at)++];
    used = utf8proc_iterate(bytes + *at, (utf8proc_ssize_t)(text.len - *at), &c);
    *at += used > 0 ? (size_t)used : 1;
    return used > 0 ? c : 0xfffd;
}

/* On one line, trimmed, cut between characters. */
static void set_line(struct sh_buffer *to, struct sh_bytes text, size_t most)
{
    text = out_trim(text);
    sh_buffer_clear(to);
    for (size_t at = 0; at < text.len && to->len + 4 <= most;) {
        utf8proc_int32_t c = cleaned(next(text, &at));
        bool space = c == '\n' || c == '\t' || c == ' ';
        if (c != 0 && !(space && (to->len == 0 || to->data[to->len - 1] == ' ')))
            append(to, space ? ' ' : c);
    }
    while (to->len > 0 && to->data[to->len - 1] == ' ')
        to->len--;
}

/* --- sections --------------------------------------------------------------------- */

/* The first `len` bytes of the text are a section; the rest stays. */
static void emit(struct out *out, size_t len)
{
    struct section section = {
        .title = sh_buffer_bytes(&out->heading),
        .text = out_trim((struct sh_bytes){out->text.data, len}),
        .page_number = out->page,
    };

    if (out->heading.err != SH_OK || out->text.err != SH_OK)
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
    if (out->code != NULL || (section.text.len == 0 && section.title.len == 0))
        return;
    if (++out->sections > SECTIONS_MAX)
        out_refuse(out, OUT_LIMIT, "it has more than %d sections", SECTIONS_MAX);
    else if (!out->emit(out->arg, &section))
        out_refuse(out, OUT_FAILED, "what was found in it cannot be handed on");
}

static void flush(struct out *out)
{
    emit(out, out->text.len);
    sh_buffer_clear(&out->text);
}

/* As much as can be cut off without parting a word. */
static void flush_part(struct out *out)
{
    size_t len = out->text.len;

    while (len > PART_BYTES / 2 && out->text.data[len - 1] != '\n')
        len--;
    if (out->text.data[len - 1] != '\n') {
        len = out->text.len;
        while (len > PART_BYTES / 2 && out->text.data[len - 1] != ' ')
            len--;
        if (out->text.data[len - 1] != ' ')
            len = out->text.len;
    }
    emit(out, len);
    sh_buffer_consume(&out->text, len);
}

/* How many line feeds stand at the end; plenty at the very beginning. */
static size_t line_feeds(const struct out *out)
{
    const struct sh_buffer *text = &out->text;
    size_t count = 0;

    while (count < text->len && text->data[text->len - 1 - count] == '\n')
        count++;
    return count == text->len ? 2 : count;
}

static void line_feed(struct out *out, size_t wanted)
{
    struct sh_buffer *text = &out->text;

    while (text->len > 0 &&
           (text->data[text->len - 1] == ' ' || text->data[text->len - 1] == '\t'))
        text->len--;
    for (size_t have = line_feeds(out); have < wanted; have++)
        sh_buffer_append(text, "\n", 1);
}

void out_line(struct out *out)
{
    line_feed(out, 1);
}

void out_paragraph(struct out *out)
{
    line_feed(out, 2);
}

static void put(struct out *out, utf8proc_int32_t c)
{
    if (c == '\n') {
        size_t have = line_feeds(out);
        line_feed(out, have < 2 ? have + 1 : 2);
        return;
    }
    out->any = out->any || (c != ' ' && c != '\t' && c != 0xa0 && c != 0xfffd);
    append(&out->text, c);
}

void out_text(struct out *out, struct sh_bytes text)
{
    for (size_t at = 0; at < text.len && out->code == NULL;) {
        utf8proc_int32_t c = cleaned(next(text, &at));
        if (c == 0)
            continue;
        if (++out->characters > out->limits.characters)
            out_refuse(out, OUT_LIMIT, "it has more than %llu characters",
                       (unsigned long long)out->limits.characters);
        put(out, c);
        if (out->text.len >= PART_BYTES)
            flush_part(out);
    }
}

void out_heading(struct out *out, struct sh_bytes heading)
{
    flush(out);
    set_line(&out->heading, heading, TITLE_MAX);
    out->any = out->any || out->heading.len > 0;
    /* Headings count too, or a file of headings alone has no bound. */
    out->characters += out->heading.len;
    if (out->characters > out->limits.characters)
        out_refuse(out, OUT_LIMIT, "it has more than %llu characters",
                   (unsigned long long)out->limits.characters);
}

void out_page(struct out *out, uint32_t page)
{
    if (out->text.len > 0)
        flush(out);
    out->page = page;
}

void out_set(struct out *out, struct sh_buffer *which, struct sh_bytes text, size_t most)
{
    (void)out;
    if (which->len == 0)
        set_line(which, text, most);
}

void out_end(struct out *out)
{
    flush(out);
    if (out->title.err != SH_OK || out->language.err != SH_OK ||
        out->created.err != SH_OK)
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
    if (!out->any)
        out_refuse(out, OUT_NO_TEXT,
                   "there is no text in it; scanned pages have to be recognised first");
}

void out_free(struct out *out)
{
    sh_buffer_free(&out->title);
    sh_buffer_free(&out->language);
    sh_buffer_free(&out->created);
    sh_buffer_free(&out->heading);
    sh_buffer_free(&out->text);
}
