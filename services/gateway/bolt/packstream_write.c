/* The writing half of packstream.h. */
#include "services/gateway/bolt/packstream.h"

static void put(struct sh_buffer *out, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    sh_buffer_append(out, bytes, size);
}

static void put_marked(struct sh_buffer *out, uint8_t marker, uint64_t value, size_t size)
{
    put(out, marker, 1);
    put(out, value, size);
}

void ps_null(struct sh_buffer *out)
{
    put(out, 0xc0, 1);
}

void ps_bool(struct sh_buffer *out, bool value)
{
    put(out, value ? 0xc3 : 0xc2, 1);
}

void ps_int(struct sh_buffer *out, int64_t value)
{
    if (value >= -16 && value <= INT8_MAX)
        put(out, (uint64_t)value, 1);
    else if (value >= INT8_MIN && value <= INT8_MAX)
        put_marked(out, 0xc8, (uint64_t)value, 1);
    else if (value >= INT16_MIN && value <= INT16_MAX)
        put_marked(out, 0xc9, (uint64_t)value, 2);
    else if (value >= INT32_MIN && value <= INT32_MAX)
        put_marked(out, 0xca, (uint64_t)value, 4);
    else
        put_marked(out, 0xcb, (uint64_t)value, 8);
}

void ps_float(struct sh_buffer *out, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_marked(out, 0xc1, bits, 8);
}

/* The head of what has a size: `tiny` 0 when there is no short form, `first` the marker
 * of a size of one byte, the longer ones follow it. */
static void put_head(struct sh_buffer *out, uint8_t tiny, uint8_t first, size_t size)
{
    if (tiny != 0 && size < 16)
        put(out, tiny | size, 1);
    else if (size <= UINT8_MAX)
        put_marked(out, first, size, 1);
    else if (size <= UINT16_MAX)
        put_marked(out, first + 1, size, 2);
    else if (size <= INT32_MAX)
        put_marked(out, first + 2, size, 4);
    else
        out->err = SH_TOOBIG;
}

void ps_bytes(struct sh_buffer *out, struct sh_bytes bytes)
{
    put_head(out, 0, 0xcc, bytes.len);
    sh_buffer_append(out, bytes.data, bytes.len);
}

void ps_text(struct sh_buffer *out, struct sh_bytes text)
{
    put_head(out, 0x80, 0xd0, text.len);
    sh_buffer_append(out, text.data, text.len);
}

void ps_word(struct sh_buffer *out, const char *text)
{
    ps_text(out, sh_bytes_of(text));
}

void ps_list(struct sh_buffer *out, size_t count)
{
    put_head(out, 0x90, 0xd4, count);
}

void ps_map(struct sh_buffer *out, size_t count)
{
    put_head(out, 0xa0, 0xd8, count);
}

void ps_struct(struct sh_buffer *out, uint8_t tag, size_t fields)
{
    if (fields > PS_FIELDS_MAX) {
        out->err = SH_TOOBIG;
        return;
    }
    put(out, 0xb0 | fields, 1);
    put(out, tag, 1);
}
