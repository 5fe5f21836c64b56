#include "proto/wire.h"

#include <utf8proc.h>

/* A length or a number of `bytes` bytes, big-endian as msgpack has it. */
static bool take_number(struct wire_cursor *cursor, size_t bytes, uint64_t *out)
{
    if (cursor->left < bytes)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | cursor->at[i];
    cursor->at += bytes;
    cursor->left -= bytes;
    *out = value;
    return true;
}

static bool take_bytes(struct wire_cursor *cursor, enum wire_kind kind, uint64_t len,
                       struct wire_token *out)
{
    if (len > cursor->left)
        return false;
    out->kind = kind;
    out->bytes = (struct sh_bytes){cursor->at, (size_t)len};
    cursor->at += len;
    cursor->left -= (size_t)len;
    return true;
}

static bool take_sized(struct wire_cursor *cursor, enum wire_kind kind, size_t bytes,
                       struct wire_token *out)
{
    uint64_t len = 0;
    return take_number(cursor, bytes, &len) && take_bytes(cursor, kind, len, out);
}

static bool take_count(struct wire_cursor *cursor, enum wire_kind kind, size_t bytes,
                       struct wire_token *out)
{
    out->kind = kind;
    return take_number(cursor, bytes, &out->number);
}

static bool take_signed(struct wire_cursor *cursor, size_t bytes, struct wire_token *out)
{
    if (!take_count(cursor, WIRE_UINT, bytes, out))
        return false;
    if (out->number >> (8 * bytes - 1) != 0) {
        out->kind = WIRE_NEGATIVE;
        out->number |= UINT64_MAX << (8 * bytes - 1);
    }
    return true;
}

static bool take_float(struct wire_cursor *cursor, size_t bytes, struct wire_token *out)
{
    uint64_t bits = 0;
    if (!take_number(cursor, bytes, &bits))
        return false;
    out->kind = WIRE_FLOAT;
    if (bytes == sizeof(double)) {
        memcpy(&out->real, &bits, sizeof(out->real));
        return true;
    }
    uint32_t narrow = (uint32_t)bits;
    float single = 0;
    memcpy(&single, &narrow, sizeof(single));
    out->real = (double)single;
    return true;
}

static bool take_bool(bool value, struct wire_token *out)
{
    out->kind = WIRE_BOOL;
    out->number = value;
    return true;
}

/* 0xc0 to 0xdf: the forms with a head of their own. */
static bool take_headed(struct wire_cursor *cursor, uint8_t head, struct wire_token *out)
{
    switch (head) {
    case 0xc0:
        return true; /* nil */
    case 0xc2:
    case 0xc3:
        return take_bool(head == 0xc3, out);
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(cursor, WIRE_BIN, (size_t)1 << (head - 0xc4), out);
    case 0xca:
    case 0xcb:
        return take_float(cursor, head == 0xca ? 4 : 8, out);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_count(cursor, WIRE_UINT, (size_t)1 << (head - 0xcc), out);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_signed(cursor, (size_t)1 << (head - 0xd0), out);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(cursor, WIRE_STR, (size_t)1 << (head - 0xd9), out);
    case 0xdc:
    case 0xdd:
        return take_count(cursor, WIRE_ARRAY, head == 0xdc ? 2 : 4, out);
    case 0xde:
    case 0xdf:
        return take_count(cursor, WIRE_MAP, head == 0xde ? 2 : 4, out);
    default:
        return false; /* 0xc1 is never used; the rest are extension types */
    }
}

bool wire_next(struct wire_cursor *cursor, struct wire_token *out)
{
    *out = (struct wire_token){.kind = WIRE_NIL};
    if (cursor->left == 0)
        return false;
    uint8_t head = *cursor->at;
    cursor->at++;
    cursor->left--;
    if (head >= 0xc0 && head < 0xe0)
        return take_headed(cursor, head, out);
    if (head >= 0xa0 && head < 0xc0)
        return take_bytes(cursor, WIRE_STR, head & 0x1f, out);
    if (head < 0x80) {
        out->kind = WIRE_UINT;
        out->number = head;
    } else if (head >= 0xe0) {
        out->kind = WIRE_NEGATIVE;
        out->number = UINT64_MAX << 8 | head;
    } else {
        out->kind = head < 0x90 ? WIRE_MAP : WIRE_ARRAY;
        out->number = head & 0x0f;
    }
    return true;
}

static uint64_t children(const struct wire_token *token)
{
    if (token->kind == WIRE_ARRAY)
        return token->number;
    return token->kind == WIRE_MAP ? 2 * token->number : 0;
}

bool wire_skip(struct wire_cursor *cursor)
{
    struct wire_token token;
    for (uint64_t owed = 1; owed > 0; owed--) {
        if (!wire_next(cursor, &token))
            return false;
        owed += children(&token);
    }
    return true;
}

enum sh_err wire_scan(struct sh_bytes frame)
{
    struct wire_cursor cursor = {frame.data, frame.len};
    uint64_t owed[WIRE_DEPTH_MAX + 1] = {1}; /* values still to come, by depth */
    size_t depth = 0;
    uint64_t declared = 0;
    struct wire_token token;

    for (;;) {
        while (owed[depth] == 0) {
            if (depth == 0)
                return cursor.left == 0 ? SH_OK : SH_MALFORMED;
            depth--;
        }
        owed[depth]--;
        if (!wire_next(&cursor, &token))
            return SH_MALFORMED;
        uint64_t count = children(&token);
        if (count == 0)
            continue;
        if (count > cursor.left || depth == WIRE_DEPTH_MAX)
            return SH_MALFORMED; /* each takes a byte at least */
        declared += count;
        if (declared > WIRE_ELEMENTS_MAX)
            return SH_TOOBIG;
        owed[++depth] = count;
    }
}

/* Most text is ASCII: eight bytes at a time until it is not. */
static size_t ascii_prefix(const uint8_t *text, size_t len)
{
    size_t at = 0;
    for (uint64_t word; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, text + at, sizeof(word));
        if (word & 0x8080808080808080u)
            break;
    }
    while (at < len && text[at] < 0x80)
        at++;
    return at;
}

bool wire_utf8(struct sh_bytes text)
{
    const uint8_t *at = text.data;
    for (size_t left = text.len; left > 0;) {
        size_t ascii = ascii_prefix(at, left);
        at += ascii;
        left -= ascii;
        if (left == 0)
            break;
        utf8proc_int32_t point;
        utf8proc_ssize_t used =
            utf8proc_iterate(at, left > 4 ? 4 : (utf8proc_ssize_t)left, &point);
        if (used <= 0)
            return false;
        at += used;
        left -= (size_t)used;
    }
    return true;
}
