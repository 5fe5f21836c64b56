/* array: PostgreSQL arrays in binary form, so that one statement stores any number of
 * rows by unnest() without quoting. Pure. */
#ifndef SEARCH_ARRAY_H
#define SEARCH_ARRAY_H

#include "shared/buffer.h"
#include "shared/pg.h"

enum array_type { /* type OIDs */
                  ARRAY_FLAG = 16,
                  ARRAY_BYTEA = 17,
                  ARRAY_INT = 23,
                  ARRAY_TEXT = 25,
                  ARRAY_DOUBLE = 701,
};

/* One dimension of `count` elements follows in `out`; exactly as many must be added. */
void array_begin(struct sh_buffer *out, enum array_type type, size_t count);
void array_bytes(struct sh_buffer *out, struct sh_bytes value); /* text or bytea */
void array_int(struct sh_buffer *out, uint32_t value);          /* ≤ INT32_MAX */
void array_double(struct sh_buffer *out, double value);
void array_flag(struct sh_buffer *out, bool value);
void array_null(struct sh_buffer *out);

static inline struct sh_pg_param array_param(const struct sh_buffer *array)
{
    return (struct sh_pg_param){sh_buffer_bytes(array), true};
}

/* Network-order integers of binary results. */
uint32_t array_get_u32(const void *bytes);
double array_get_double(const void *bytes);

#endif
