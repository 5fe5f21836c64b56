#include "services/search/glossary/terms_writer.h"

const char *const terms_written[] = {
    "id",     "term",   "definition", "language",        "domain",     "part_of_speech",
    "source", "status", "sense",      "clearance_level", "department", "metadata"};

struct sh_bytes terms_written_field(const struct glossary_term *term, size_t which,
                                    char number[static 2])
{
    number[0] = (char)('0' + term->clearance_level % 10);
    number[1] = '\0';
    const struct sh_bytes all[TERMS_WRITTEN] = {
        term->id,     term->term,           term->definition, term->language,
        term->domain, term->part_of_speech, term->source,     term->status,
        term->sense,  {number, 1},          term->department, term->metadata};
    return all[which];
}

const char *const terms_relations[] = {"SYNONYM_OF", "BROADER", "RELATED",
                                       "TRANSLATION_OF", "ABBREVIATION_OF"};

bool terms_relation_next(const struct glossary_term *term, size_t *at,
                         struct terms_relation *out)
{
    const char *text = term->highlight.data;
    const char *tab;
    const char *end;

    if (*at >= term->highlight.len)
        return false;
    tab = memchr(text + *at, '\t', term->highlight.len - *at);
    end = memchr(text + *at, '\n', term->highlight.len - *at);
    if (end == NULL)
        end = text + term->highlight.len;
    if (tab == NULL || tab > end)
        return false;
    out->type = (struct sh_bytes){text + *at, (size_t)(tab - text) - *at};
    out->to = (struct sh_bytes){tab + 1, (size_t)(end - tab) - 1};
    *at = (size_t)(end - text) + 1;
    return true;
}

void terms_write_related(struct sh_buffer *out, const struct glossary_term *term,
                         size_t which)
{
    struct terms_relation one;
    bool first = true;

    for (size_t at = 0; terms_relation_next(term, &at, &one);) {
        if (!sh_bytes_is(one.type, terms_relations[which]))
            continue;
        sh_buffer_text(out, first ? "" : "|");
        sh_buffer_append(out, one.to.data, one.to.len);
        first = false;
    }
}

const struct terms_format *terms_format(struct sh_bytes name)
{
    static const struct terms_format *const all[] = {&terms_csv, &terms_json, &terms_tbx,
                                                     &terms_skos, &terms_xlsx};

    for (size_t i = 0; i < SH_COUNT(all); i++)
        if (sh_bytes_is(name, all[i]->name))
            return all[i];
    return NULL;
}

/* XML 1.0 has no other control characters, and neither U+FFFE nor U+FFFF. */
static bool is_of_xml(const uint8_t *at, size_t left)
{
    if (at[0] < 0x20)
        return at[0] == '\t' || at[0] == '\n' || at[0] == '\r';
    return !(left >= 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe);
}

static const char *entity_of(uint8_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r': /* a reader makes a line feed of the plain one */
        return "&#13;";
    default:
        return NULL;
    }
}

void terms_write_xml(struct sh_buffer *out, struct sh_bytes text)
{
    const uint8_t *at = text.data;
    size_t begun = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *entity = entity_of(at[i]);
        bool good = is_of_xml(at + i, text.len - i);
        if (entity == NULL && good)
            continue;
        sh_buffer_append(out, at + begun, i - begun);
        sh_buffer_text(out, entity != NULL ? entity : "");
        i += good ? 0 : at[i] >= 0x20 ? 2 : 0;
        begun = i + 1;
    }
    if (begun < text.len)
        sh_buffer_append(out, at + begun, text.len - begun);
}

/* --- CSV -------------------------------------------------------------------------- */

/* RFC 4180. A cell that a program would take for a formula gets a quote before it. */
static void write_cell(struct sh_buffer *out, struct sh_bytes text)
{
    const char *at = text.data;

    if (text.len == 0)
        return;
    sh_buffer_text(out, "\"");
    if (strchr("=+-@\t\r'", at[0]) != NULL && at[0] != '\0')
        sh_buffer_text(out, "'");
    for (size_t i = 0, begun = 0; i <= text.len; i++) {
        if (i < text.len && at[i] != '"')
            continue;
        sh_buffer_append(out, at + begun, i - begun);
        if (i < text.len)
            sh_buffer_text(out, "\"\"");
        begun = i + 1;
    }
    sh_buffer_text(out, "\"");
}

static void csv_begin(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    for (size_t i = 0; i < TERMS_WRITTEN; i++)
        sh_buffer_printf(out, "%s%s", i > 0 ? "," : "", terms_written[i]);
    for (size_t i = 0; i < TERMS_RELATIONS; i++)
        sh_buffer_printf(out, ",%s", terms_relations[i]);
    sh_buffer_text(out, "\r\n");
}

static void csv_page(struct terms_writer *self, const struct glossary_term *terms,
                     size_t count, struct sh_buffer *out)
{
    struct sh_buffer related = {0};
    char number[2];

    self->rows += count;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < TERMS_WRITTEN; k++) {
            if (k > 0)
                sh_buffer_text(out, ",");
            write_cell(out, terms_written_field(&terms[i], k, number));
        }
        for (size_t k = 0; k < TERMS_RELATIONS; k++) {
            sh_buffer_text(out, ",");
            sh_buffer_clear(&related);
            terms_write_related(&related, &terms[i], k);
            write_cell(out, sh_buffer_bytes(&related));
        }
        sh_buffer_text(out, "\r\n");
    }
    if (related.err != SH_OK)
        out->err = related.err;
    sh_buffer_free(&related);
}

static void nothing(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    (void)out;
}

const struct terms_format terms_csv = {"csv", csv_begin, csv_page, nothing};

/* --- JSON ------------------------------------------------------------------------- */

static void write_json_text(struct sh_buffer *out, struct sh_bytes text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = text.data;

    sh_buffer_text(out, "\"");
    for (size_t i = 0, begun = 0; i <= text.len; i++) {
        if (i < text.len && at[i] >= 0x20 && at[i] != '"' && at[i] != '\\')
            continue;
        if (i > begun)
            sh_buffer_append(out, at + begun, i - begun);
        if (i < text.len && at[i] < 0x20)
            sh_buffer_printf(out, "\\u00%c%c", digits[at[i] >> 4], digits[at[i] & 15]);
        else if (i < text.len)
            sh_buffer_printf(out, "\\%c", at[i]);
        begun = i + 1;
    }
    sh_buffer_text(out, "\"");
}

static void json_begin(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out, "[");
}

static void write_json_relations(struct sh_buffer *out, const struct glossary_term *term)
{
    struct terms_relation one;
    size_t at = 0;

    if (!terms_relation_next(term, &at, &one))
        return;
    sh_buffer_text(out, ",\"relations\":[");
    for (bool more = true; more;) {
        sh_buffer_text(out, "{\"type\":");
        write_json_text(out, one.type);
        sh_buffer_text(out, ",\"to\":");
        write_json_text(out, one.to);
        more = terms_relation_next(term, &at, &one);
        sh_buffer_text(out, more ? "}," : "}");
    }
    sh_buffer_text(out, "]");
}

static void write_json_term(struct sh_buffer *out, const struct glossary_term *term)
{
    char number[2];
    const char *before = "{";

    for (size_t k = 0; k < TERMS_WRITTEN; k++) {
        struct sh_bytes text = terms_written_field(term, k, number);
        bool raw = k == 9 || k == 11; /* clearance_level, metadata */
        if (text.len == 0)
            continue;
        sh_buffer_printf(out, "%s\"%s\":", before, terms_written[k]);
        if (raw)
            sh_buffer_append(out, text.data, text.len);
        else
            write_json_text(out, text);
        before = ",";
    }
    write_json_relations(out, term);
    sh_buffer_text(out, "}");
}

static void json_page(struct terms_writer *self, const struct glossary_term *terms,
                      size_t count, struct sh_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        sh_buffer_text(out, self->rows++ > 0 ? ",\n" : "\n");
        write_json_term(out, &terms[i]);
    }
}

static void json_end(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out, "\n]\n");
}

const struct terms_format terms_json = {"json", json_begin, json_page, json_end};
