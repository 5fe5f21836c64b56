/* lookup_shape: how outside services are asked, and what their answers say.
 * DeepL: https://developers.deepl.com/docs (POST /v2/translate); IATE:
 * https://iate.europa.eu/em-api (POST /entries/_search). Pure. */
#ifndef SEARCH_LOOKUP_SHAPE_H
#define SEARCH_LOOKUP_SHAPE_H

#include "proto/msg.h"
#include "shared/buffer.h"

enum lookup_source { LOOKUP_DEEPL, LOOKUP_IATE, LOOKUP_SOURCES };
extern const char *const lookup_names[LOOKUP_SOURCES];

/* The body of the request; errors stick in `out`. */
void lookup_request(enum lookup_source source, const struct glossary_lookup *asked,
                    struct sh_buffer *out);
/* Appends the answers as our routes give them: an array of {"term","language",
 * "definition"?,"source_language"?,"id"?,"domain"?}. False: that is no answer of such a
 * service. */
bool lookup_answers(enum lookup_source source, const struct glossary_lookup *asked,
                    struct sh_bytes body, struct sh_buffer *out);

#endif
