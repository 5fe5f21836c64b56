#include "services/search/extract/child/xml.h"

static void stop(struct xml *xml)
{
    xmlStopParser(xml->parser);
}

/* NOLINTNEXTLINE(readability-function-size): so libxml2 wants it */
static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int spaces, const xmlChar **namespaces,
                     int count, int defaulted, const xmlChar **attributes)
{
    struct xml *xml = arg;

    (void)prefix;
    (void)uri;
    (void)spaces;
    (void)namespaces;
    (void)defaulted;
    if (++xml->depth > xml->out->limits.nesting)
        out_refuse(xml->out, OUT_LIMIT, "it is nested more than %u deep",
                   xml->out->limits.nesting);
    if (xml->out->code != NULL)
        stop(xml);
    else if (xml->events->start != NULL)
        xml->events->start(xml->arg, (const char *)name, attributes, count);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
                   const xmlChar *uri)
{
    struct xml *xml = arg;

    (void)prefix;
    (void)uri;
    xml->depth--;
    if (xml->out->code == NULL && xml->events->end != NULL)
        xml->events->end(xml->arg, (const char *)name);
}

static void on_text(void *arg, const xmlChar *text, int len)
{
    struct xml *xml = arg;

    if (xml->out->code == NULL && xml->events->text != NULL)
        xml->events->text(xml->arg, (struct sh_bytes){text, (size_t)len});
}

static void on_dtd(void *arg, const xmlChar *name, const xmlChar *external,
                   const xmlChar *system)
{
    struct xml *xml = arg;

    (void)name;
    (void)external;
    (void)system;
    if (xml->doctype)
        return;
    out_refuse(xml->out, OUT_DAMAGED, "it has a document type definition");
    stop(xml);
}

/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter): so libxml2
 * wants it */
static void on_entity(void *arg, const xmlChar *name, int type, const xmlChar *external,
                      const xmlChar *system, xmlChar *content)
{
    struct xml *xml = arg;

    (void)name;
    (void)type;
    (void)external;
    (void)system;
    (void)content;
    out_refuse(xml->out, OUT_DAMAGED, "it declares entities");
    stop(xml);
}
/* NOLINTEND(readability-function-size,readability-non-const-parameter) */

static void on_problem(void *arg, const char *format, ...)
{
    (void)arg;
    (void)format;
}

bool xml_open(struct xml *xml, struct out *out, const struct xml_events *events,
              void *arg)
{
    xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                             .startElementNs = on_start,
                             .endElementNs = on_end,
                             .characters = on_text,
                             .ignorableWhitespace = on_text,
                             .cdataBlock = on_text,
                             .internalSubset = on_dtd,
                             .entityDecl = on_entity,
                             .warning = on_problem,
                             .error = on_problem};

    *xml = (struct xml){.out = out, .events = events, .arg = arg};
    xml->parser = xmlCreatePushParserCtxt(&handler, xml, NULL, 0, NULL);
    if (xml->parser == NULL)
        return false;
    return xmlCtxtUseOptions(xml->parser, XML_PARSE_NONET | XML_PARSE_NOERROR |
                                              XML_PARSE_NOWARNING) == 0;
}

bool xml_feed(struct xml *xml, struct sh_bytes bytes)
{
    if (xml->out->code == NULL &&
        xmlParseChunk(xml->parser, bytes.data, (int)bytes.len, 0) != XML_ERR_OK &&
        !xml->parser->wellFormed)
        out_refuse(xml->out, OUT_DAMAGED, "its XML is not well-formed");
    return xml->out->code == NULL;
}

void xml_close(struct xml *xml, bool whole)
{
    if (xml->parser == NULL)
        return;
    if (whole && xml->out->code == NULL)
        (void)xmlParseChunk(xml->parser, "", 0, 1);
    if (whole && !xml->parser->wellFormed)
        out_refuse(xml->out, OUT_DAMAGED, "its XML is not well-formed");
    if (xml->parser->myDoc != NULL) /* made by libxml2 itself for a DTD's declarations */
        xmlFreeDoc(xml->parser->myDoc);
    xml->parser->myDoc = NULL;
    xmlFreeParserCtxt(xml->parser);
    xml->parser = NULL;
}

/* Five pointers an attribute: name, prefix, URI, value, end of the value. */
struct sh_bytes xml_attribute(const xmlChar **attributes, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        const xmlChar **one = attributes + (size_t)i * 5;
        if (strcmp((const char *)one[0], name) == 0)
            return (struct sh_bytes){one[3], (size_t)(one[4] - one[3])};
    }
    return (struct sh_bytes){0};
}
