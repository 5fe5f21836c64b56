/* terms_xml: a glossary whose file is XML. A document type is allowed, since TBX files
 * name theirs, but nothing is loaded and no entity is declared. */
#ifndef EXTRACT_TERMS_XML_H
#define EXTRACT_TERMS_XML_H

#include "services/search/extract/child/terms_out.h"
#include "services/search/extract/child/xml.h"

void terms_read_xml(struct sh_bytes file, struct terms_out *terms,
                    const struct xml_events *events, void *arg);

#endif
