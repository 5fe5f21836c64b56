/* Pages by libxml2's parser of HTML, as a stream of tags and texts: no tree is built. */
#include <libxml/HTMLparser.h>
#include <strings.h>

#include "services/search/extract/child/readers.h"

enum { STEP_BYTES = 16384 };

struct page {
    struct out *out;
    htmlParserCtxtPtr parser;
    struct sh_buffer heading; /* of the h1 … h6 or title that is open */
    uint32_t depth;
    uint32_t hidden; /* open elements whose text nobody sees */
    uint32_t kept;   /* open pre */
    bool in_title;
    bool in_heading;
    bool space; /* owed before the next word */
    bool in_cell;
};

static bool is_one_of(const xmlChar *name, const char *const *all)
{
    for (size_t i = 0; all[i] != NULL; i++)
        if (strcasecmp((const char *)name, all[i]) == 0)
            return true;
    return false;
}

static bool is(const xmlChar *name, const char *other)
{
    return strcasecmp((const char *)name, other) == 0;
}

static bool is_hidden(const xmlChar *name)
{
    static const char *const all[] = {"script",   "style",  "template", "svg",   "math",
                                      "noscript", "iframe", "object",   "audio", "video",
                                      "canvas",   "select", NULL};
    return is_one_of(name, all);
}

static bool is_heading(const xmlChar *name)
{
    return (name[0] == 'h' || name[0] == 'H') && name[1] >= '1' && name[1] <= '6' &&
           name[2] == '\0';
}

static bool is_paragraph(const xmlChar *name)
{
    static const char *const all[] = {
        "p",       "div",      "section",    "article", "table",  "ul",
        "ol",      "dl",       "blockquote", "pre",     "header", "footer",
        "nav",     "aside",    "main",       "figure",  "form",   "hr",
        "address", "fieldset", "details",    "caption", NULL};
    return is_one_of(name, all);
}

static bool is_line(const xmlChar *name)
{
    static const char *const all[] = {"br",     "li",      "tr",         "dt",     "dd",
                                      "option", "summary", "figcaption", "legend", NULL};
    return is_one_of(name, all);
}

/* --- attributes ------------------------------------------------------------------- */

static struct sh_bytes attribute(const xmlChar **attributes, const char *name)
{
    for (size_t i = 0; attributes != NULL && attributes[i] != NULL; i += 2)
        if (is(attributes[i], name))
            return sh_bytes_of((const char *)attributes[i + 1]);
    return (struct sh_bytes){0};
}

static void on_meta(struct page *page, const xmlChar **attributes)
{
    static const char *const dates[] = {
        "date", "dc.date", "dcterms.created", "article:published_time", "dc.date.created",
        NULL};
    struct out *out = page->out;
    struct sh_bytes name = attribute(attributes, "name");

    if (name.len == 0)
        name = attribute(attributes, "property");
    if (name.len > 0 && is_one_of(name.data, dates))
        out_set(out, &out->created, attribute(attributes, "content"), 64);
}

/* --- tags ------------------------------------------------------------------------- */

static void begin_line(struct page *page, bool paragraph)
{
    page->space = false;
    if (page->in_heading || page->in_title)
        page->space = page->heading.len > 0;
    else if (paragraph)
        out_paragraph(page->out);
    else
        out_line(page->out);
}

static void end_heading(struct page *page)
{
    struct sh_bytes text = sh_buffer_bytes(&page->heading);

    if (page->heading.err != SH_OK)
        out_refuse(page->out, OUT_LIMIT, "there is not memory enough to read it");
    else if (page->in_title)
        out_set(page->out, &page->out->title, text, 2048);
    else if (out_trim(text).len > 0)
        out_heading(page->out, text);
    page->in_title = page->in_heading = page->space = false;
    sh_buffer_clear(&page->heading);
}

static void on_start(void *arg, const xmlChar *name, const xmlChar **attributes)
{
    struct page *page = arg;

    if (++page->depth > page->out->limits.nesting)
        out_refuse(page->out, OUT_LIMIT, "it is nested more than %u deep",
                   page->out->limits.nesting);
    if (page->out->code != NULL) {
        xmlStopParser(page->parser);
        return;
    }
    page->hidden += is_hidden(name);
    page->kept += is(name, "pre");
    if (is(name, "html"))
        out_set(page->out, &page->out->language, attribute(attributes, "lang"), 64);
    else if (is(name, "meta"))
        on_meta(page, attributes);
    else if (is(name, "title") && page->hidden == 0)
        page->in_title = true;
    else if (is_heading(name) && page->hidden == 0) {
        end_heading(page); /* of one that was not closed */
        page->in_heading = true;
    } else if (is_paragraph(name) || is_line(name)) {
        begin_line(page, is_paragraph(name));
        page->in_cell = false;
    } else if (is(name, "td") || is(name, "th")) {
        if (page->in_cell && !page->in_heading)
            out_text(page->out, sh_bytes_of(" | "));
        page->in_cell = true;
        page->space = false;
    }
}

static void on_end(void *arg, const xmlChar *name)
{
    struct page *page = arg;

    page->depth -= page->depth > 0;
    page->hidden -= page->hidden > 0 && is_hidden(name);
    page->kept -= page->kept > 0 && is(name, "pre");
    if (page->out->code != NULL)
        return;
    if ((is_heading(name) && page->in_heading) || (is(name, "title") && page->in_title))
        end_heading(page);
    else if (is_paragraph(name))
        begin_line(page, true);
    else if (is_line(name))
        begin_line(page, false);
}

/* --- text ------------------------------------------------------------------------- */

static void add(struct page *page, struct sh_bytes text)
{
    if (page->in_heading || page->in_title)
        sh_buffer_append(&page->heading, text.data, text.len);
    else
        out_text(page->out, text);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* White space of any length is one blank between words. */
static void add_words(struct page *page, struct sh_bytes text)
{
    const char *at = text.data;

    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len && !is_space(at[i]))
            i++;
        if (i > from) {
            if (page->space)
                add(page, sh_bytes_of(" "));
            page->space = false;
            add(page, (struct sh_bytes){at + from, i - from});
        }
        for (; i < text.len && is_space(at[i]); i++)
            page->space = true;
    }
}

static void on_text(void *arg, const xmlChar *text, int len)
{
    struct page *page = arg;
    struct sh_bytes piece = {text, (size_t)len};

    if (page->hidden > 0 || page->out->code != NULL)
        return;
    if (page->kept > 0 && !page->in_heading)
        out_text(page->out, piece);
    else
        add_words(page, piece);
}

/* What stands in script and style. */
static void on_data(void *arg, const xmlChar *text, int len)
{
    (void)arg;
    (void)text;
    (void)len;
}

static void on_problem(void *arg, const char *format, ...)
{
    (void)arg;
    (void)format;
}

static void feed(struct page *page, struct sh_bytes text)
{
    const char *at = text.data;
    size_t left = text.len;

    while (left > 0 && page->out->code == NULL) {
        size_t len = left < STEP_BYTES ? left : STEP_BYTES;
        (void)htmlParseChunk(page->parser, at, (int)len, 0); /* it forgives everything */
        at += len;
        left -= len;
    }
    if (page->out->code == NULL)
        (void)htmlParseChunk(page->parser, "", 0, 1);
}

void read_html(struct sh_bytes text, struct out *out)
{
    struct page page = {.out = out};
    htmlSAXHandler handler = {.startElement = on_start,
                              .endElement = on_end,
                              .characters = on_text,
                              .ignorableWhitespace = on_text,
                              .cdataBlock = on_data,
                              .warning = on_problem,
                              .error = on_problem};

    page.parser =
        htmlCreatePushParserCtxt(&handler, &page, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    if (page.parser == NULL) {
        out_refuse(out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    (void)htmlCtxtUseOptions(page.parser, HTML_PARSE_IGNORE_ENC | HTML_PARSE_NONET |
                                              HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                              HTML_PARSE_NOWARNING);
    feed(&page, text);
    if (out->code == NULL && (page.in_heading || page.in_title))
        end_heading(&page);
    htmlFreeParserCtxt(page.parser);
    sh_buffer_free(&page.heading);
}
