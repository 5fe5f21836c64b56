/* The reading half of packstream.h. */
#include "proto/wire.h"
#include "services/gateway/bolt/packstream.h"

static bool take_number(struct ps_cursor *cursor, size_t size, uint64_t *out)
{
    uint64_t value = 0;

    if (cursor->left < size)
        return false;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | cursor->at[i];
    cursor->at += size;
    cursor->left -= size;
    *out = value;
    return true;
}

static bool take_bytes(struct ps_cursor *cursor, uint64_t len, struct ps_token *out)
{
    if (len > cursor->left)
        return false;
    out->bytes = (struct sh_bytes){cursor->at, (size_t)len};
    cursor->at += len;
    cursor->left -= (size_t)len;
    return true;
}

static bool sized(struct ps_cursor *cursor, enum ps_kind kind, uint64_t size,
                  struct ps_token *out)
{
    /* every element of a list is a byte at least, every pair of a map two */
    uint64_t least = kind == PS_MAP ? size * 2 : size;

    out->kind = kind;
    out->number = (int64_t)size;
    if (kind == PS_BYTES || kind == PS_TEXT)
        return take_bytes(cursor, size, out);
    return least <= cursor->left;
}

static bool tagged(struct ps_cursor *cursor, uint64_t fields, struct ps_token *out)
{
    uint64_t tag;

    if (!take_number(cursor, 1, &tag))
        return false;
    out->tag = (uint8_t)tag;
    return sized(cursor, PS_STRUCT, fields, out);
}

/* A length of 1, 2 or 4 bytes comes first: `head` is that of one byte. */
static bool long_form(struct ps_cursor *cursor, enum ps_kind kind, unsigned which,
                      struct ps_token *out)
{
    uint64_t size;

    return take_number(cursor, (size_t)1 << which, &size) &&
           sized(cursor, kind, size, out);
}

static bool integer(struct ps_cursor *cursor, unsigned which, struct ps_token *out)
{
    size_t size = (size_t)1 << which;
    unsigned unused = 64 - 8 * (unsigned)size;
    uint64_t bits;

    out->kind = PS_INT;
    if (!take_number(cursor, size, &bits))
        return false;
    out->number = (int64_t)(bits << unused) >> unused;
    return true;
}

static bool real(struct ps_cursor *cursor, struct ps_token *out)
{
    uint64_t bits;

    out->kind = PS_FLOAT;
    if (!take_number(cursor, 8, &bits))
        return false;
    memcpy(&out->real, &bits, sizeof bits);
    return true;
}

/* 0xc0 to 0xdf, that are not the short forms. */
static bool marked(struct ps_cursor *cursor, uint8_t head, struct ps_token *out)
{
    switch (head) {
    case 0xc0:
        out->kind = PS_NULL;
        return true;
    case 0xc1:
        return real(cursor, out);
    case 0xc2:
    case 0xc3:
        out->kind = PS_BOOL;
        out->number = head == 0xc3;
        return true;
    case 0xc8:
    case 0xc9:
    case 0xca:
    case 0xcb:
        return integer(cursor, head - 0xc8u, out);
    case 0xcc:
    case 0xcd:
    case 0xce:
        return long_form(cursor, PS_BYTES, head - 0xccu, out);
    case 0xd0:
    case 0xd1:
    case 0xd2:
        return long_form(cursor, PS_TEXT, head - 0xd0u, out);
    case 0xd4:
    case 0xd5:
    case 0xd6:
        return long_form(cursor, PS_LIST, head - 0xd4u, out);
    case 0xd8:
    case 0xd9:
    case 0xda:
        return long_form(cursor, PS_MAP, head - 0xd8u, out);
    default:
        return false;
    }
}

bool ps_next(struct ps_cursor *cursor, struct ps_token *out)
{
    uint64_t byte;

    *out = (struct ps_token){0};
    if (!take_number(cursor, 1, &byte))
        return false;
    uint8_t head = (uint8_t)byte;
    if (head < 0x80 || head >= 0xf0) {
        out->kind = PS_INT;
        out->number = head < 0x80 ? head : head - 256;
        return true;
    }
    switch (head & 0xf0) {
    case 0x80:
        return sized(cursor, PS_TEXT, head & 0x0f, out);
    case 0x90:
        return sized(cursor, PS_LIST, head & 0x0f, out);
    case 0xa0:
        return sized(cursor, PS_MAP, head & 0x0f, out);
    case 0xb0:
        return tagged(cursor, head & 0x0f, out);
    default:
        return marked(cursor, head, out);
    }
}

/* --- whole values ----------------------------------------------------------------- */

struct level {
    uint64_t left; /* values to come, keys included */
    bool map;
};

/* What must be true of a token that stands inside `level`. */
static bool fits(const struct level *level, const struct ps_token *token)
{
    bool key = level->map && level->left % 2 == 0;

    if (key && token->kind != PS_TEXT)
        return false;
    return token->kind != PS_TEXT || wire_utf8(token->bytes);
}

static uint64_t inside(const struct ps_token *token)
{
    if (token->kind == PS_LIST || token->kind == PS_STRUCT)
        return (uint64_t)token->number;
    return token->kind == PS_MAP ? (uint64_t)token->number * 2 : 0;
}

static enum sh_err walk(struct ps_cursor *cursor)
{
    struct level levels[PS_DEPTH_MAX] = {{1, false}};
    struct ps_token token;
    size_t depth = 1;

    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        if (level->left == 0) {
            depth--;
            continue;
        }
        if (!ps_next(cursor, &token) || !fits(level, &token))
            return SH_MALFORMED;
        level->left--;
        uint64_t more = inside(&token);
        if (more > 0 && depth == PS_DEPTH_MAX)
            return SH_TOOBIG;
        if (more > 0)
            levels[depth++] = (struct level){more, token.kind == PS_MAP};
    }
    return SH_OK;
}

enum sh_err ps_scan(struct sh_bytes message)
{
    struct ps_cursor cursor = ps_over(message);
    enum sh_err err = walk(&cursor);

    return err == SH_OK && cursor.left > 0 ? SH_MALFORMED : err;
}

bool ps_skip(struct ps_cursor *cursor)
{
    struct ps_token token;

    for (uint64_t left = 1; left > 0; left--) {
        if (!ps_next(cursor, &token))
            return false;
        left += inside(&token);
    }
    return true;
}

bool ps_find(struct ps_cursor map, const char *key, struct ps_cursor *value)
{
    struct ps_token token;
    bool found = false;

    if (!ps_next(&map, &token) || token.kind != PS_MAP)
        return false;
    for (int64_t left = token.number; left > 0; left--) {
        struct ps_token name;
        if (!ps_next(&map, &name))
            return false;
        if (name.kind == PS_TEXT && sh_bytes_is(name.bytes, key)) {
            *value = map;
            found = true;
        }
        if (!ps_skip(&map))
            return false;
    }
    return found;
}

bool ps_find_text(struct ps_cursor map, const char *key, struct sh_bytes *text)
{
    struct ps_cursor value;
    struct ps_token token;

    if (!ps_find(map, key, &value) || !ps_next(&value, &token) || token.kind != PS_TEXT)
        return false;
    *text = token.bytes;
    return true;
}

bool ps_find_int(struct ps_cursor map, const char *key, int64_t *number)
{
    struct ps_cursor value;
    struct ps_token token;

    if (!ps_find(map, key, &value) || !ps_next(&value, &token) || token.kind != PS_INT)
        return false;
    *number = token.number;
    return true;
}
