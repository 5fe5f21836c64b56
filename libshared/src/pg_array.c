#include "shared/pg_array.h"

#include <arpa/inet.h>

static void put_u32(struct sh_buffer *out, uint32_t value)
{
    uint32_t wire = htonl(value);

    sh_buffer_append(out, &wire, sizeof(wire));
}

void sh_pg_array_begin(struct sh_buffer *out, enum sh_pg_array_type type, size_t count)
{
    put_u32(out, count > 0 ? 1 : 0); /* an empty array has no dimension */
    put_u32(out, 1);                 /* there may be NULLs */
    put_u32(out, type);
    if (count > INT32_MAX)
        out->err = SH_TOOBIG;
    if (count > 0) {
        put_u32(out, (uint32_t)count);
        put_u32(out, 1); /* the first index */
    }
}

void sh_pg_array_bytes(struct sh_buffer *out, struct sh_bytes value)
{
    if (value.len > INT32_MAX)
        out->err = SH_TOOBIG;
    put_u32(out, (uint32_t)value.len);
    sh_buffer_append(out, value.data, value.len);
}

void sh_pg_array_int(struct sh_buffer *out, uint32_t value)
{
    put_u32(out, sizeof(value));
    put_u32(out, value);
}

void sh_pg_array_double(struct sh_buffer *out, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_u32(out, sizeof(bits));
    put_u32(out, (uint32_t)(bits >> 32));
    put_u32(out, (uint32_t)bits);
}

void sh_pg_array_flag(struct sh_buffer *out, bool value)
{
    char byte = (char)(value ? 1 : 0);

    put_u32(out, 1);
    sh_buffer_append(out, &byte, 1);
}

void sh_pg_array_null(struct sh_buffer *out)
{
    put_u32(out, UINT32_MAX);
}

uint32_t sh_pg_array_get_u32(const void *bytes)
{
    uint32_t wire;

    memcpy(&wire, bytes, sizeof(wire));
    return ntohl(wire);
}

double sh_pg_array_get_double(const void *bytes)
{
    uint64_t bits = (uint64_t)sh_pg_array_get_u32(bytes) << 32;
    double value;

    bits |= sh_pg_array_get_u32((const char *)bytes + 4);
    memcpy(&value, &bits, sizeof(value));
    return value;
}
