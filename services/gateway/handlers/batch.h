/* batch: one line of POST /api/documents/batch, from JSON to the frame for search, and
 * from search's answer to the line of the result. */
#ifndef GATEWAY_BATCH_H
#define GATEWAY_BATCH_H

#include "services/gateway/exchange.h"
#include "services/gateway/lines.h"

/* Append the encoded DOCUMENT_PUT to `frame`. `key`: the same for the same id,
 * 0 when the document has none, so that storing it twice makes two. False: `result` has
 * the line that says why. */
SH_CHECK bool batch_line_encode(const struct line *line, struct sh_buffer *frame,
                                uint64_t *key, struct sh_buffer *result);
/* The line of a document that was stored. */
void batch_line_stored(uint64_t number, struct sh_bytes payload,
                       struct sh_buffer *result);
/* The line of one that was not. */
void batch_line_failed(uint64_t number, const struct sh_problem *problem,
                       struct sh_buffer *result);

#endif
