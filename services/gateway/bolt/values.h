/* values: what a query is given and what it finds, between Bolt's encoding and that of
 * graph.query (proto/messages/cypher.h). Any thread. */
#ifndef GATEWAY_BOLT_VALUES_H
#define GATEWAY_BOLT_VALUES_H

#include "services/gateway/bolt/handshake.h"
#include "services/gateway/bolt/packstream.h"

/* A scanned value as msgpack, at the end of `out`. Errors: SH_TYPE: it holds a structure
 * (a date, a point, a node); SH_NOMEM. */
SH_CHECK enum sh_err values_to_msgpack(struct ps_cursor value, struct sh_buffer *out);

/* The rows of an answer, one after the other; the bytes are borrowed. */
struct rows {
    struct sh_bytes bytes;
    size_t at;
    uint64_t left;
};

/* Errors: SH_MALFORMED. */
SH_CHECK enum sh_err rows_open(struct sh_bytes bytes, struct rows *out);
/* The next row as a list, at the end of `out`; one must be left. Errors: SH_MALFORMED,
 * SH_TOOBIG (nested too deeply), SH_NOMEM; `out` may then end anywhere. */
SH_CHECK enum sh_err rows_next(struct rows *rows, struct bolt_version version,
                               struct sh_buffer *out);

#endif
