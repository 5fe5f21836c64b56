#include "services/gateway/bolt/values.h"

#include <msgpack.h>

#include "services/gateway/bolt/rows_scan.h"

enum { EXT_NODE = 1, EXT_RELATIONSHIP = 2, EXT_PATH = 3, DEPTH_MAX = 64 };

/* --- parameters ------------------------------------------------------------------- */

static int append(void *data, const char *bytes, size_t len)
{
    struct sh_buffer *out = data;

    sh_buffer_append(out, bytes, len);
    return out->err == SH_OK ? 0 : -1;
}

/* Both encodings put a container's size before what it holds, so that tokens can be
 * written as they are read. `more`: how many follow this one. */
static int put_token(msgpack_packer *to, const struct ps_token *token, uint64_t *more)
{
    size_t count = (size_t)token->number;

    *more = 0;
    switch (token->kind) {
    case PS_NULL:
        return msgpack_pack_nil(to);
    case PS_BOOL:
        return token->number != 0 ? msgpack_pack_true(to) : msgpack_pack_false(to);
    case PS_INT:
        return msgpack_pack_int64(to, token->number);
    case PS_FLOAT:
        return msgpack_pack_double(to, token->real);
    case PS_BYTES:
        return msgpack_pack_bin_with_body(to, token->bytes.data, token->bytes.len);
    case PS_TEXT:
        return msgpack_pack_str_with_body(to, token->bytes.data, token->bytes.len);
    case PS_LIST:
        *more = count;
        return msgpack_pack_array(to, count);
    case PS_MAP:
        *more = 2 * (uint64_t)count;
        return msgpack_pack_map(to, count);
    case PS_STRUCT:
    default:
        return -1;
    }
}

enum sh_err values_to_msgpack(struct ps_cursor value, struct sh_buffer *out)
{
    msgpack_packer to;
    struct ps_token token;
    uint64_t more;

    msgpack_packer_init(&to, out, append);
    for (uint64_t left = 1; left > 0; left += more - 1) {
        if (!ps_next(&value, &token))
            return SH_MALFORMED;
        if (token.kind == PS_STRUCT)
            return SH_TYPE;
        if (put_token(&to, &token, &more) != 0)
            return SH_NOMEM;
    }
    return SH_OK;
}

/* --- rows ------------------------------------------------------------------------- */

struct writer {
    struct sh_buffer *out;
    struct bolt_version version;
    unsigned depth;
};

static bool put_value(struct writer *w, const msgpack_object *value);

static bool has_ids(const struct writer *w)
{
    return w->version.major >= 5;
}

static struct sh_bytes text_of(const msgpack_object *value)
{
    return (struct sh_bytes){value->via.str.ptr, value->via.str.size};
}

static bool put_list(struct writer *w, const msgpack_object_array *list)
{
    ps_list(w->out, list->size);
    for (uint32_t i = 0; i < list->size; i++)
        if (!put_value(w, &list->ptr[i]))
            return false;
    return true;
}

static bool put_map(struct writer *w, const msgpack_object_map *map)
{
    ps_map(w->out, map->size);
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->ptr[i].key.type != MSGPACK_OBJECT_STR)
            return false;
        ps_text(w->out, text_of(&map->ptr[i].key));
        if (!put_value(w, &map->ptr[i].val))
            return false;
    }
    return true;
}

/* --- nodes, relationships, paths -------------------------------------------------- */

enum { NODE_PARTS = 4, RELATIONSHIP_PARTS = 8, PATH_PARTS = 3 };

/* Of a relationship: number, element id, start and its id, end and its id, type,
 * properties. */
enum { NUMBER, ID, START, START_ID, END, END_ID, TYPE, PROPERTIES };

static bool put_parts(struct writer *w, const msgpack_object *parts, const uint8_t *which,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!put_value(w, &parts[which[i]]))
            return false;
    return true;
}

static bool put_node(struct writer *w, const msgpack_object *parts)
{
    static const uint8_t order[] = {NUMBER, 2, 3, ID};
    size_t count = has_ids(w) ? 4 : 3;

    ps_struct(w->out, 'N', count);
    return put_parts(w, parts, order, count);
}

static bool put_relationship(struct writer *w, const msgpack_object *parts)
{
    static const uint8_t order[] = {NUMBER,     START, END,      TYPE,
                                    PROPERTIES, ID,    START_ID, END_ID};
    size_t count = has_ids(w) ? 8 : 5;

    ps_struct(w->out, 'R', count);
    return put_parts(w, parts, order, count);
}

/* As it stands in a path, which knows its ends. */
static bool put_unbound(struct writer *w, const msgpack_object *parts)
{
    static const uint8_t order[] = {NUMBER, TYPE, PROPERTIES, ID};
    size_t count = has_ids(w) ? 4 : 3;

    ps_struct(w->out, 'r', count);
    return put_parts(w, parts, order, count);
}

typedef bool put_fn(struct writer *w, const msgpack_object *parts);

/* What an extension holds: a list of so many parts. */
static bool put_packed(struct writer *w, const msgpack_object_ext *ext, uint32_t count,
                       put_fn *put)
{
    msgpack_unpacked whole;
    size_t at = 0;

    msgpack_unpacked_init(&whole);
    bool good =
        rows_scan((struct sh_bytes){ext->ptr, ext->size}, 0) &&
        msgpack_unpack_next(&whole, ext->ptr, ext->size, &at) == MSGPACK_UNPACK_SUCCESS &&
        whole.data.type == MSGPACK_OBJECT_ARRAY && whole.data.via.array.size == count &&
        put(w, whole.data.via.array.ptr);
    msgpack_unpacked_destroy(&whole);
    return good;
}

/* In a path nodes and relationships are extensions or the plain lists of their parts. */
static bool put_each(struct writer *w, const msgpack_object *list, uint32_t count,
                     put_fn *put)
{
    if (list->type != MSGPACK_OBJECT_ARRAY)
        return false;
    ps_list(w->out, list->via.array.size);
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *one = &list->via.array.ptr[i];
        bool packed = one->type == MSGPACK_OBJECT_EXT;
        bool plain = one->type == MSGPACK_OBJECT_ARRAY && one->via.array.size == count;
        if (packed && !put_packed(w, &one->via.ext, count, put))
            return false;
        if (!packed && (!plain || !put(w, one->via.array.ptr)))
            return false;
    }
    return true;
}

static bool put_path(struct writer *w, const msgpack_object *parts)
{
    ps_struct(w->out, 'P', PATH_PARTS);
    return put_each(w, &parts[0], NODE_PARTS, put_node) &&
           put_each(w, &parts[1], RELATIONSHIP_PARTS, put_unbound) &&
           put_value(w, &parts[2]);
}

static bool put_ext(struct writer *w, const msgpack_object_ext *ext)
{
    switch (ext->type) {
    case EXT_NODE:
        return put_packed(w, ext, NODE_PARTS, put_node);
    case EXT_RELATIONSHIP:
        return put_packed(w, ext, RELATIONSHIP_PARTS, put_relationship);
    case EXT_PATH:
        return put_packed(w, ext, PATH_PARTS, put_path);
    default:
        return false;
    }
}

/* --- any value -------------------------------------------------------------------- */

static bool put_one(struct writer *w, const msgpack_object *value)
{
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        ps_null(w->out);
        return true;
    case MSGPACK_OBJECT_BOOLEAN:
        ps_bool(w->out, value->via.boolean);
        return true;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        ps_int(w->out, (int64_t)value->via.u64);
        return value->via.u64 <= INT64_MAX;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        ps_int(w->out, value->via.i64);
        return true;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        ps_float(w->out, value->via.f64);
        return true;
    case MSGPACK_OBJECT_STR:
        ps_text(w->out, text_of(value));
        return true;
    case MSGPACK_OBJECT_BIN:
        ps_bytes(w->out, (struct sh_bytes){value->via.bin.ptr, value->via.bin.size});
        return true;
    case MSGPACK_OBJECT_ARRAY:
        return put_list(w, &value->via.array);
    case MSGPACK_OBJECT_MAP:
        return put_map(w, &value->via.map);
    case MSGPACK_OBJECT_EXT:
        return put_ext(w, &value->via.ext);
    default:
        return false;
    }
}

/* An extension's payload is unpacked by itself, so depth is counted here. */
static bool put_value(struct writer *w, const msgpack_object *value)
{
    bool good = false;

    if (++w->depth <= DEPTH_MAX)
        good = put_one(w, value);
    w->depth--;
    return good;
}

static uint64_t number_at(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

enum sh_err rows_open(struct sh_bytes bytes, struct rows *out)
{
    const uint8_t *data = bytes.data;
    size_t size = 0; /* of the count, after the first byte */

    *out = (struct rows){.bytes = bytes, .at = 1};
    if (bytes.len == 0)
        return SH_MALFORMED;
    if ((data[0] & 0xf0) == 0x90) {
        out->left = data[0] & 0x0f;
    } else if (data[0] == 0xdc || data[0] == 0xdd) {
        size = data[0] == 0xdc ? 2 : 4;
        if (bytes.len < 1 + size)
            return SH_MALFORMED;
        out->left = number_at(data + 1, size);
        out->at += size;
    } else {
        return SH_MALFORMED;
    }
    return out->left <= bytes.len - out->at ? SH_OK : SH_MALFORMED;
}

enum sh_err rows_next(struct rows *rows, struct bolt_version version,
                      struct sh_buffer *out)
{
    struct writer w = {out, version, 0};
    msgpack_unpacked row;

    msgpack_unpacked_init(&row);
    bool good = rows_scan(rows->bytes, rows->at) &&
                msgpack_unpack_next(&row, rows->bytes.data, rows->bytes.len, &rows->at) ==
                    MSGPACK_UNPACK_SUCCESS &&
                row.data.type == MSGPACK_OBJECT_ARRAY &&
                put_list(&w, &row.data.via.array);
    msgpack_unpacked_destroy(&row);
    rows->left--;
    if (out->err != SH_OK)
        return out->err;
    return good ? SH_OK : SH_MALFORMED;
}
