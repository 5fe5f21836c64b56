/* Terms as TBX (ISO 30042:2019) and as SKOS in RDF/XML. What these have no place for is
 * kept in elements that others pass over and terms_tbx.c, terms_skos.c read. */
#include "services/search/glossary/terms_writer.h"

static void write_element(struct sh_buffer *out, const char *before, const char *name,
                          const char *after, struct sh_bytes text, const char *end)
{
    if (text.len == 0)
        return;
    sh_buffer_printf(out, "%s%s%s", before, name, after);
    terms_write_xml(out, text);
    sh_buffer_text(out, end);
}

/* --- TBX -------------------------------------------------------------------------- */

static void tbx_begin(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<tbx type=\"TBX-Basic\" style=\"dca\" xml:lang=\"en\" "
                        "xmlns=\"urn:iso:std:iso:30042:ed-2\">\n<tbxHeader><fileDesc>"
                        "<sourceDesc><p>Cairn</p></sourceDesc></fileDesc></tbxHeader>\n"
                        "<text><body>\n");
}

static void write_tbx_own(struct sh_buffer *out, const struct glossary_term *term)
{
    static const size_t own[] = {0, 6, 7, 8, 9, 10, 11}; /* id, source, status, … */
    char number[2];

    for (size_t i = 0; i < SH_COUNT(own); i++)
        write_element(out, "<admin type=\"cairn-", terms_written[own[i]], "\">",
                      terms_written_field(term, own[i], number), "</admin>");
}

static void write_tbx_relations(struct sh_buffer *out, const struct glossary_term *term)
{
    struct terms_relation one;

    for (size_t at = 0; terms_relation_next(term, &at, &one);) {
        sh_buffer_text(out, "<admin type=\"cairn-relation\">");
        sh_buffer_append(out, one.type.data, one.type.len);
        write_element(out, " ", "", "", one.to, "</admin>");
    }
}

static void write_tbx_term(struct sh_buffer *out, uint64_t number,
                           const struct glossary_term *term)
{
    sh_buffer_printf(out, "<conceptEntry id=\"c%llu\">", (unsigned long long)number);
    write_element(out, "<descrip type=\"subjectField\">", "", "", term->domain,
                  "</descrip>");
    sh_buffer_text(out, "<langSec xml:lang=\"");
    terms_write_xml(out, term->language);
    sh_buffer_text(out, "\">");
    write_element(out, "<descrip type=\"definition\">", "", "", term->definition,
                  "</descrip>");
    write_element(out, "<termSec><term>", "", "", term->term, "</term>");
    write_element(out, "<termNote type=\"partOfSpeech\">", "", "", term->part_of_speech,
                  "</termNote>");
    write_tbx_own(out, term);
    write_tbx_relations(out, term);
    sh_buffer_text(out, "</termSec></langSec></conceptEntry>\n");
}

static void tbx_page(struct terms_writer *self, const struct glossary_term *terms,
                     size_t count, struct sh_buffer *out)
{
    for (size_t i = 0; i < count; i++)
        write_tbx_term(out, ++self->rows, &terms[i]);
}

static void tbx_end(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out, "</body></text>\n</tbx>\n");
}

const struct terms_format terms_tbx = {"tbx", tbx_begin, tbx_page, tbx_end};

/* --- SKOS ------------------------------------------------------------------------- */

static void skos_begin(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
                   "xmlns:skos=\"http://www.w3.org/2004/02/skos/core#\" "
                   "xmlns:cairn=\"urn:cairn:glossary:\">\n");
}

/* The id as an address: what is not unreserved (RFC 3986) in percent. */
static void write_uri(struct sh_buffer *out, struct sh_bytes id)
{
    static const char digits[] = "0123456789ABCDEF";
    const uint8_t *at = id.data;

    sh_buffer_text(out, "urn:cairn:term:");
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
        if (plain)
            sh_buffer_append(out, at + i, 1);
        else
            sh_buffer_printf(out, "%%%c%c", digits[c >> 4], digits[c & 15]);
    }
}

/* As SKOS has them, and in our own elements where it has none. */
static void write_skos_relations(struct sh_buffer *out, const struct glossary_term *term)
{
    static const char *const elements[TERMS_RELATIONS] = {
        "skos:exactMatch", "skos:broader", "skos:related", "cairn:translationOf",
        "cairn:abbreviationOf"};
    struct terms_relation one;

    for (size_t at = 0; terms_relation_next(term, &at, &one);)
        for (size_t i = 0; i < TERMS_RELATIONS; i++) {
            if (!sh_bytes_is(one.type, terms_relations[i]))
                continue;
            sh_buffer_printf(out, "<%s rdf:resource=\"", elements[i]);
            write_uri(out, one.to);
            sh_buffer_text(out, "\"/>");
        }
}

static void write_skos_term(struct sh_buffer *out, const struct glossary_term *term)
{
    static const size_t own[] = {4, 5, 6, 7, 8, 9, 10, 11}; /* domain, … */
    char number[2];

    sh_buffer_text(out, "<skos:Concept rdf:about=\"");
    write_uri(out, term->id);
    sh_buffer_text(out, "\"><skos:prefLabel xml:lang=\"");
    terms_write_xml(out, term->language);
    sh_buffer_text(out, "\">");
    terms_write_xml(out, term->term);
    sh_buffer_text(out, "</skos:prefLabel>");
    if (term->definition.len > 0) {
        sh_buffer_text(out, "<skos:definition xml:lang=\"");
        terms_write_xml(out, term->language);
        write_element(out, "\">", "", "", term->definition, "</skos:definition>");
    }
    for (size_t i = 0; i < SH_COUNT(own); i++) {
        struct sh_bytes text = terms_written_field(term, own[i], number);
        write_element(out, "<cairn:", terms_written[own[i]], ">", text, "</cairn:");
        if (text.len > 0)
            sh_buffer_printf(out, "%s>", terms_written[own[i]]);
    }
    write_skos_relations(out, term);
    sh_buffer_text(out, "</skos:Concept>\n");
}

static void skos_page(struct terms_writer *self, const struct glossary_term *terms,
                      size_t count, struct sh_buffer *out)
{
    self->rows += count;
    for (size_t i = 0; i < count; i++)
        write_skos_term(out, &terms[i]);
}

static void skos_end(struct terms_writer *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out, "</rdf:RDF>\n");
}

const struct terms_format terms_skos = {"skos", skos_begin, skos_page, skos_end};
