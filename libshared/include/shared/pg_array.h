/* pg_array: PostgreSQL arrays in binary form, so that one statement stores any number of
 * rows by unnest() without quoting. Pure. */
#ifndef SHARED_PG_ARRAY_H
#define SHARED_PG_ARRAY_H

#include "shared/buffer.h"
#include "shared/pg.h"

enum sh_pg_array_type { /* type OIDs */
                        SH_PG_ARRAY_FLAG = 16,
                        SH_PG_ARRAY_BYTEA = 17,
                        SH_PG_ARRAY_INT = 23,
                        SH_PG_ARRAY_TEXT = 25,
                        SH_PG_ARRAY_DOUBLE = 701,
};

/* One dimension of `count` elements follows in `out`; exactly as many must be added. */
void sh_pg_array_begin(struct sh_buffer *out, enum sh_pg_array_type type, size_t count);
void sh_pg_array_bytes(struct sh_buffer *out, struct sh_bytes value); /* text or bytea */
void sh_pg_array_int(struct sh_buffer *out, uint32_t value);          /* ≤ INT32_MAX */
void sh_pg_array_double(struct sh_buffer *out, double value);
void sh_pg_array_flag(struct sh_buffer *out, bool value);
void sh_pg_array_null(struct sh_buffer *out);

static inline struct sh_pg_param sh_pg_array_param(const struct sh_buffer *array)
{
    return (struct sh_pg_param){sh_buffer_bytes(array), true};
}

/* Network-order integers of binary results. */
uint32_t sh_pg_array_get_u32(const void *bytes);
double sh_pg_array_get_double(const void *bytes);

#endif
