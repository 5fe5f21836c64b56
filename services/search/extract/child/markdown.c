/* CommonMark by md4c, which tells of blocks, spans and texts one after the other. */
#include <md4c.h>
#include <stdio.h>
#include <strings.h>

#include "services/search/extract/child/readers.h"

struct page {
    struct out *out;
    struct sh_buffer heading;
    uint32_t depth;
    bool in_heading;
    bool in_cell; /* of a row, not its first */
};

/* --- the front matter ------------------------------------------------------------- */

/* A value of one line, without its quotes. */
static struct sh_bytes value_of(struct sh_bytes line, const char *key)
{
    size_t len = strlen(key);
    const char *at = line.data;

    if (line.len <= len || strncasecmp(at, key, len) != 0 || at[len] != ':')
        return (struct sh_bytes){0};
    struct sh_bytes value = out_trim((struct sh_bytes){at + len + 1, line.len - len - 1});
    const char *text = value.data;
    if (value.len >= 2 && (text[0] == '"' || text[0] == '\'') &&
        text[value.len - 1] == text[0])
        return (struct sh_bytes){text + 1, value.len - 2};
    return value;
}

static void front_line(struct out *out, struct sh_bytes line)
{
    out_set(out, &out->title, value_of(line, "title"), 2048);
    out_set(out, &out->created, value_of(line, "date"), 64);
    out_set(out, &out->language, value_of(line, "lang"), 64);
    out_set(out, &out->language, value_of(line, "language"), 64);
}

static struct sh_bytes line_at(struct sh_bytes text, size_t at)
{
    const char *from = (const char *)text.data + at;
    const char *end = memchr(from, '\n', text.len - at);

    return (struct sh_bytes){from, end == NULL ? text.len - at : (size_t)(end - from)};
}

/* Lines between "---" at the very beginning and the next "---" tell of the page. *out is
 * read in any case; what is left is the text. */
static struct sh_bytes without_front(struct sh_bytes text, struct out *out)
{
    size_t at;

    if (!sh_bytes_is(out_trim(line_at(text, 0)), "---"))
        return text;
    for (at = line_at(text, 0).len + 1; at < text.len;) {
        struct sh_bytes line = line_at(text, at);
        at += line.len + 1;
        if (sh_bytes_is(out_trim(line), "---")) {
            at = at < text.len ? at : text.len;
            return (struct sh_bytes){(const char *)text.data + at, text.len - at};
        }
        front_line(out, line);
    }
    return text;
}

/* --- the text --------------------------------------------------------------------- */

static int on_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    struct page *page = arg;

    (void)detail;
    if (++page->depth > page->out->limits.nesting)
        out_refuse(page->out, OUT_LIMIT, "it is nested more than %u deep",
                   page->out->limits.nesting);
    if (type == MD_BLOCK_H) {
        page->in_heading = true;
        sh_buffer_clear(&page->heading);
    } else if (type == MD_BLOCK_TR || type == MD_BLOCK_LI) {
        page->in_cell = false;
        out_line(page->out);
    } else if (type == MD_BLOCK_TH || type == MD_BLOCK_TD) {
        if (page->in_cell)
            out_text(page->out, sh_bytes_of(" | "));
        page->in_cell = true;
    } else if (type != MD_BLOCK_THEAD && type != MD_BLOCK_TBODY) {
        out_paragraph(page->out);
    }
    return page->out->code != NULL;
}

static int off_block(MD_BLOCKTYPE type, void *detail, void *arg)
{
    struct page *page = arg;

    (void)detail;
    page->depth--;
    if (type == MD_BLOCK_H) {
        page->in_heading = false;
        out_set(page->out, &page->out->title, sh_buffer_bytes(&page->heading), 2048);
        out_heading(page->out, sh_buffer_bytes(&page->heading));
    }
    return page->out->code != NULL;
}

static int on_span(MD_SPANTYPE type, void *detail, void *arg)
{
    (void)type;
    (void)detail;
    return ((struct page *)arg)->out->code != NULL;
}

static void add(struct page *page, struct sh_bytes text)
{
    if (page->in_heading)
        sh_buffer_append(&page->heading, text.data, text.len);
    else
        out_text(page->out, text);
}

static void add_entity(struct page *page, struct sh_bytes entity)
{
    static const struct {
        const char *name;
        const char *text;
    } known[] = {{"&amp;", "&"},   {"&lt;", "<"},    {"&gt;", ">"},
                 {"&quot;", "\""}, {"&apos;", "'"},  {"&nbsp;", " "},
                 {"&ndash;", "–"}, {"&mdash;", "—"}, {"&hellip;", "…"}};

    for (size_t i = 0; i < SH_COUNT(known); i++)
        if (sh_bytes_is(entity, known[i].name)) {
            add(page, sh_bytes_of(known[i].text));
            return;
        }
    add(page, entity);
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *arg)
{
    struct page *page = arg;
    struct sh_bytes piece = {text, size};

    switch (type) {
    case MD_TEXT_HTML: /* tags */
    case MD_TEXT_NULLCHAR:
        break;
    case MD_TEXT_BR:
    case MD_TEXT_SOFTBR:
        add(page, sh_bytes_of("\n"));
        break;
    case MD_TEXT_ENTITY:
        add_entity(page, piece);
        break;
    case MD_TEXT_NORMAL:
    case MD_TEXT_CODE:
    case MD_TEXT_LATEXMATH:
        add(page, piece);
    }
    return page->out->code != NULL;
}

void read_markdown(struct sh_bytes text, struct out *out)
{
    struct page page = {.out = out};
    MD_PARSER parser = {
        .flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEATXHEADERS,
        .enter_block = on_block,
        .leave_block = off_block,
        .enter_span = on_span,
        .leave_span = on_span,
        .text = on_text,
    };

    text = without_front(text, out);
    if (md_parse(text.data, (MD_SIZE)text.len, &parser, &page) != 0)
        out_refuse(out, OUT_DAMAGED, "it cannot be read as Markdown");
    if (page.heading.err != SH_OK)
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
    sh_buffer_free(&page.heading);
}
