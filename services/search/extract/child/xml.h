/* xml: a part of an office file as a stream of elements and texts, by libxml2. No tree is
 * built; there are no entities but the five, and no DTD is read; depth is bounded. */
#ifndef EXTRACT_XML_H
#define EXTRACT_XML_H

#include <libxml/parser.h>

#include "services/search/extract/child/out.h"

/* Names come without their prefix. */
struct xml_events {
    void (*start)(void *arg, const char *name, const xmlChar **attributes, int count);
    void (*end)(void *arg, const char *name);
    void (*text)(void *arg, struct sh_bytes text);
};

struct xml {
    struct out *out;
    const struct xml_events *events;
    void *arg;
    xmlParserCtxtPtr parser;
    uint32_t depth;
    bool doctype; /* to be set after xml_open(): a DTD is named, not read */
};

/* `out` gets the refusals; all are borrowed until xml_close(). False: no memory. */
SH_CHECK bool xml_open(struct xml *xml, struct out *out, const struct xml_events *events,
                       void *arg);
/* The next bytes. False when it is over: refused. */
bool xml_feed(struct xml *xml, struct sh_bytes bytes);
/* `whole`: nothing is missing; it is then checked that nothing is open. */
void xml_close(struct xml *xml, bool whole);

/* The value of an attribute, inside `attributes` of a start; empty when absent. */
struct sh_bytes xml_attribute(const xmlChar **attributes, int count, const char *name);

#endif
