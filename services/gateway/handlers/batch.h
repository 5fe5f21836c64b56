/* batch: what of POST /api/documents/batch is no stream: the request's headers and
 * parameters; one line, from JSON to the frame for search, and from search's answer to
 * the line of the result. */
#ifndef GATEWAY_BATCH_H
#define GATEWAY_BATCH_H

#include "services/gateway/handlers/refresh.h"
#include "shared/lines.h"

/* `wait`: the results are waited for, line by line. False: answered, it is no such
 * request. */
SH_CHECK bool batch_request_ok(struct exchange *x, bool *wait);
/* What a line holds. */
struct batch_document {
    json_t *json;              /* to be given back by json_decref() in any case */
    struct document_put put;   /* borrows from it and from the arena */
    uint64_t key;              /* as of batch_line_encode() */
    struct schema_fault fault; /* why it is none, */
    const char *code;          /* and what to call that */
};
SH_CHECK bool batch_line_read(const struct sh_line *line, struct sh_arena *arena,
                              struct batch_document *out);
/* Append the encoded DOCUMENT_PUT to `frame`. `key`: the same for the same id,
 * 0 when the document has none, so that storing it twice makes two. False: `result` has
 * the line that says why. */
SH_CHECK bool batch_line_encode(const struct sh_line *line, bool no_wait,
                                struct sh_buffer *frame, uint64_t *key,
                                struct sh_buffer *result);
/* The line of a document that was stored, but for its end. False: it is the line of an
 * error, and whole. */
SH_CHECK bool batch_line_stored(uint64_t number, struct sh_bytes payload,
                                struct sh_buffer *result, uint64_t *xid, bool *visible);
/* Its end. */
void batch_line_end(const struct refresh *refresh, struct sh_buffer *result);
/* The line of one that was not. */
void batch_line_failed(uint64_t number, const struct sh_problem *problem,
                       struct sh_buffer *result);

#endif
