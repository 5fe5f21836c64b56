/* postings_head: how a posting of the tail begins: varints of (distance << 2 | kind) and
 * what the kind says; then come its positions. Pure; reading is safe whatever the bytes
 * are. */
#ifndef SEARCH_POSTINGS_HEAD_H
#define SEARCH_POSTINGS_HEAD_H

#include "services/search/text/postings.h"

enum { HEAD_ONCE, HEAD_BODY, HEAD_MIXED, HEAD_MOST = 6 + TEXT_FIELDS * VARINT_MOST };

static inline uint8_t *head_put(uint8_t *at, uint32_t distance, unsigned kind)
{
    uint64_t head = (uint64_t)distance << 2 | kind;
    while (head >= 0x80) {
        *at++ = (uint8_t)(head | 0x80);
        head >>= 7;
    }
    *at++ = (uint8_t)head;
    return at;
}

static inline const uint8_t *head_get(const uint8_t *at, const uint8_t *end,
                                      uint64_t *head)
{
    *head = 0;
    for (unsigned shift = 0; at < end && shift < 42; shift += 7) {
        uint8_t byte = *at++;
        *head |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return at;
}

static inline uint8_t *head_write(uint8_t *at, uint32_t distance, const uint32_t *tf)
{
    if (tf[TEXT_TITLE] == 0 && tf[TEXT_HEADING] == 0) {
        if (tf[TEXT_BODY] == 1)
            return head_put(at, distance, HEAD_ONCE);
        return varint_put(head_put(at, distance, HEAD_BODY), tf[TEXT_BODY]);
    }
    at = head_put(at, distance, HEAD_MIXED);
    for (int field = 0; field < TEXT_FIELDS; field++)
        at = varint_put(at, tf[field]);
    return at;
}

#endif
