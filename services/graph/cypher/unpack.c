#include "proto/wire.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/pack.h"

static bool bad(struct cy_env *env)
{
    return cy_fail(env, CY_ARGUMENTS, "InvalidParameter", (struct cy_at){0, 0},
                   "the parameters are not a map of values as queries take them");
}

static bool unpack(struct cy_env *env, struct wire_cursor *cursor, struct cy_value *out);

static bool unpack_list(struct cy_env *env, struct wire_cursor *cursor, uint64_t count,
                        struct cy_value *out)
{
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!unpack(env, cursor, &items[i]))
            return false;
    return cyv_list(env, items, count, out);
}

static bool unpack_map(struct cy_env *env, struct wire_cursor *cursor, uint64_t count,
                       struct cy_value *out)
{
    struct cyv_entry *entries = cy_array(env, count, sizeof(*entries));
    if (entries == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct wire_token key;
        if (!wire_next(cursor, &key) || key.kind != WIRE_STR || !wire_utf8(key.bytes))
            return bad(env);
        entries[i].key = key.bytes;
        if (!unpack(env, cursor, &entries[i].value))
            return false;
    }
    return cyv_map(env, entries, count, out);
}

/* The bytes have been scanned: depth and counts are bounded. */
static bool unpack(struct cy_env *env, struct wire_cursor *cursor, struct cy_value *out)
{
    struct wire_token token;
    *out = cyv_null();
    if (!wire_next(cursor, &token))
        return bad(env);
    switch (token.kind) {
    case WIRE_NIL:
        return true;
    case WIRE_BOOL:
        *out = cyv_boolean(token.number != 0);
        return true;
    case WIRE_UINT:
        *out = cyv_integer((int64_t)token.number);
        return token.number <= INT64_MAX || bad(env);
    case WIRE_NEGATIVE:
        *out = cyv_integer((int64_t)token.number);
        return true;
    case WIRE_FLOAT:
        *out = cyv_float(token.real);
        return true;
    case WIRE_STR:
        *out = cyv_string(token.bytes);
        return wire_utf8(token.bytes) || bad(env);
    case WIRE_BIN:
        break;
    case WIRE_ARRAY:
        return unpack_list(env, cursor, token.number, out);
    case WIRE_MAP:
        return unpack_map(env, cursor, token.number, out);
    }
    return bad(env);
}

bool cy_unpack_parameters(struct cy_env *env, struct sh_bytes bytes, struct cy_value *out)
{
    struct wire_cursor cursor = {bytes.data, bytes.len};
    if (bytes.len == 0)
        return cyv_map(env, NULL, 0, out);
    if (wire_scan(bytes) != SH_OK || !unpack(env, &cursor, out) || out->type != CYV_MAP)
        return bad(env);
    return true;
}
