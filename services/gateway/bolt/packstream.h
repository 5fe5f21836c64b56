/* packstream: Bolt's encoding of values, read and written. Bytes that come are scanned
 * whole before anything is made of them: depth, lengths and counts against what is left,
 * UTF-8, texts as keys of maps; a cursor over scanned bytes never leaves them. Nothing is
 * allocated for reading. Any thread.
 * After https://neo4j.com/docs/bolt/current/packstream/ */
#ifndef GATEWAY_BOLT_PACKSTREAM_H
#define GATEWAY_BOLT_PACKSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buffer.h"

enum { PS_DEPTH_MAX = 32, PS_FIELDS_MAX = 15 /* of a structure */ };

enum ps_kind {
    PS_NULL,
    PS_BOOL,
    PS_INT,
    PS_FLOAT,
    PS_BYTES,
    PS_TEXT,
    PS_LIST,
    PS_MAP,
    PS_STRUCT
};

struct ps_token {
    enum ps_kind kind;
    uint8_t tag;    /* STRUCT */
    int64_t number; /* BOOL, INT; elements of LIST, pairs of MAP, fields of STRUCT */
    double real;    /* FLOAT */
    struct sh_bytes bytes; /* BYTES, TEXT: point into the input */
};

struct ps_cursor {
    const uint8_t *at;
    size_t left;
};

static inline struct ps_cursor ps_over(struct sh_bytes bytes)
{
    return (struct ps_cursor){bytes.data, bytes.len};
}

/* Exactly one value and nothing behind it. Errors: SH_MALFORMED; SH_TOOBIG: nested too
 * deeply. */
SH_CHECK enum sh_err ps_scan(struct sh_bytes message);
/* The next token; elements follow a container's. False: cut short, or a byte that
 * PackStream does not use. */
SH_CHECK bool ps_next(struct ps_cursor *cursor, struct ps_token *out);
/* Step over one value, containers whole. */
SH_CHECK bool ps_skip(struct ps_cursor *cursor);
/* The value of a key in the map at the cursor, which stays; the last one when there are
 * several. False: there is none, or that is no map. */
SH_CHECK bool ps_find(struct ps_cursor map, const char *key, struct ps_cursor *value);
/* The same for a text, and for a whole number. */
SH_CHECK bool ps_find_text(struct ps_cursor map, const char *key, struct sh_bytes *text);
SH_CHECK bool ps_find_int(struct ps_cursor map, const char *key, int64_t *number);

/* Each in its shortest form. What is longer than PackStream can say makes the buffer's
 * err SH_TOOBIG. */
void ps_null(struct sh_buffer *out);
void ps_bool(struct sh_buffer *out, bool value);
void ps_int(struct sh_buffer *out, int64_t value);
void ps_float(struct sh_buffer *out, double value);
void ps_bytes(struct sh_buffer *out, struct sh_bytes bytes);
void ps_text(struct sh_buffer *out, struct sh_bytes text);
void ps_word(struct sh_buffer *out, const char *text);
void ps_list(struct sh_buffer *out, size_t count);
void ps_map(struct sh_buffer *out, size_t count);
void ps_struct(struct sh_buffer *out, uint8_t tag, size_t fields);

#endif
