/* wire: reads msgpack tokens from bytes that nobody has checked. A cursor never leaves
 * its bytes; the scan bounds what a whole message may ask for before anything is
 * allocated. For libproto, and for whoever reads msgpack within a message. */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/bytes.h"
#include "shared/err.h"

enum {
    WIRE_DEPTH_MAX = 16,
    WIRE_ELEMENTS_MAX =
        256 << 10, /* the largest answer, a part of the graph, has 170,000 */
};

enum wire_kind {
    WIRE_NIL,
    WIRE_BOOL,
    WIRE_UINT,
    WIRE_NEGATIVE,
    WIRE_FLOAT,
    WIRE_STR,
    WIRE_BIN,
    WIRE_ARRAY,
    WIRE_MAP
};

struct wire_token {
    enum wire_kind kind;
    uint64_t
        number; /* UINT, BOOL; NEGATIVE: as int64_t; elements of ARRAY; pairs of MAP */
    double real;
    struct sh_bytes bytes; /* STR, BIN: points into the input */
};

struct wire_cursor {
    const uint8_t *at;
    size_t left;
};

/* False: cut short, an extension type, or a byte that msgpack does not use. */
bool wire_next(struct wire_cursor *cursor, struct wire_token *out);
/* Step over one whole value, containers included; the bytes must have been scanned. */
bool wire_skip(struct wire_cursor *cursor);
/* Exactly one value, nothing behind it, depth and sum of declared elements bounded.
 * Errors: SH_MALFORMED, SH_TOOBIG (too many elements). */
SH_CHECK enum sh_err wire_scan(struct sh_bytes frame);
bool wire_utf8(struct sh_bytes text);

#endif
