/* varint: seven bits a byte, the lowest first. Reading stops at `end` whatever the bytes
 * are. */
#ifndef SEARCH_VARINT_H
#define SEARCH_VARINT_H

#include "shared/bytes.h"

enum { VARINT_MOST = 5 };

static inline uint8_t *varint_put(uint8_t *at, uint32_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* What is cut short is taken as it is; bits beyond 32 are lost. */
static inline const uint8_t *varint_get(const uint8_t *at, const uint8_t *end,
                                        uint32_t *value)
{
    uint32_t read = 0;
    for (unsigned shift = 0; at < end; shift += 7) {
        uint8_t byte = *at++;
        read |= shift < 32 ? (uint32_t)(byte & 0x7f) << shift : 0;
        if (byte < 0x80)
            break;
    }
    *value = read;
    return at;
}

static inline const uint8_t *varint_skip(const uint8_t *at, const uint8_t *end,
                                         uint32_t count)
{
    for (; count > 0 && at < end; at++)
        count -= *at < 0x80;
    return at;
}

#endif
