#include "services/gateway/handlers/graph_values.h"

#include <math.h>
#include <msgpack.h>

#include "services/gateway/json_in.h"
#include "services/gateway/json_out.h"

enum {
    EXT_NODE = 1,
    EXT_RELATIONSHIP = 2,
    EXT_PATH = 3,
    DEPTH_MAX = 128,
    DIGITS = 17, /* of a float */
    NODE_PARTS = 4,
    RELATIONSHIP_PARTS = 8,
    PATH_PARTS = 3,
};

/* --- parameters ------------------------------------------------------------------- */

static int append(void *data, const char *bytes, size_t len)
{
    struct sh_buffer *out = data;
    sh_buffer_append(out, bytes, len);
    return out->err == SH_OK ? 0 : -1;
}

static void pack_text(msgpack_packer *to, const char *text, size_t len)
{
    (void)msgpack_pack_str(to, len);
    (void)msgpack_pack_str_body(to, text, len);
}

static void pack(msgpack_packer *to, json_t *value);

static void pack_object(msgpack_packer *to, json_t *object)
{
    const char *key;
    json_t *item;
    (void)msgpack_pack_map(to, json_object_size(object));
    json_object_foreach(object, key, item)
    {
        pack_text(to, key, strlen(key));
        pack(to, item);
    }
}

/* Failures stick in the buffer. How deep it is, the reading of the body has bounded. */
static void pack(msgpack_packer *to, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pack_object(to, value);
        return;
    case JSON_ARRAY:
        (void)msgpack_pack_array(to, json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++)
            pack(to, json_array_get(value, i));
        return;
    case JSON_STRING:
        pack_text(to, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        (void)msgpack_pack_int64(to, json_integer_value(value));
        return;
    case JSON_REAL:
        (void)msgpack_pack_double(to, json_real_value(value));
        return;
    case JSON_TRUE:
        (void)msgpack_pack_true(to);
        return;
    case JSON_FALSE:
        (void)msgpack_pack_false(to);
        return;
    case JSON_NULL:
        break;
    }
    (void)msgpack_pack_nil(to);
}

void graph_values_pack(json_t *object, struct sh_buffer *out)
{
    msgpack_packer to;
    msgpack_packer_init(&to, out, append);
    if (object != NULL)
        pack(&to, object);
    else
        (void)msgpack_pack_map(&to, 0);
}

/* --- answers ---------------------------------------------------------------------- */

struct writer {
    struct sh_buffer *out;
    unsigned depth;
};

static bool write_value(struct writer *writer, const msgpack_object *value);

static struct sh_bytes text_of(const msgpack_object *value)
{
    return value->type == MSGPACK_OBJECT_STR
               ? (struct sh_bytes){value->via.str.ptr, value->via.str.size}
               : (struct sh_bytes){0};
}

static uint64_t number_of(const msgpack_object *value)
{
    return value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? value->via.u64 : 0;
}

static bool write_array(struct writer *writer, const msgpack_object_array *array)
{
    sh_buffer_text(writer->out, "[");
    for (uint32_t i = 0; i < array->size; i++) {
        if (i > 0)
            sh_buffer_text(writer->out, ",");
        if (!write_value(writer, &array->ptr[i]))
            return false;
    }
    sh_buffer_text(writer->out, "]");
    return true;
}

static bool write_map(struct writer *writer, const msgpack_object_map *map)
{
    sh_buffer_text(writer->out, "{");
    for (uint32_t i = 0; i < map->size; i++) {
        if (i > 0)
            sh_buffer_text(writer->out, ",");
        json_text(writer->out, text_of(&map->ptr[i].key));
        sh_buffer_text(writer->out, ":");
        if (!write_value(writer, &map->ptr[i].val))
            return false;
    }
    sh_buffer_text(writer->out, "}");
    return true;
}

static bool write_node(struct writer *writer, const msgpack_object *parts)
{
    sh_buffer_text(writer->out, "{");
    json_member_text(writer->out, "id", text_of(&parts[1]));
    json_member(writer->out, "number"); /* below 0: drawn, not stored */
    if (!write_value(writer, &parts[0]))
        return false;
    json_member(writer->out, "labels");
    if (!write_value(writer, &parts[2]))
        return false;
    json_member(writer->out, "properties");
    if (!write_value(writer, &parts[3]))
        return false;
    sh_buffer_text(writer->out, "}");
    return true;
}

static bool write_relationship(struct writer *writer, const msgpack_object *parts)
{
    sh_buffer_text(writer->out, "{");
    json_member_text(writer->out, "id", text_of(&parts[1]));
    json_member(writer->out, "number");
    if (!write_value(writer, &parts[0]))
        return false;
    json_member_text(writer->out, "type", text_of(&parts[6]));
    json_member_text(writer->out, "from", text_of(&parts[3]));
    json_member_text(writer->out, "to", text_of(&parts[5]));
    json_member(writer->out, "properties");
    if (!write_value(writer, &parts[7]))
        return false;
    sh_buffer_text(writer->out, "}");
    return true;
}

/* The nodes and relationships that the indexes name: every second index is one of a
 * relationship, from 1 and below 0 when it is passed against its direction. */
static bool write_path(struct writer *writer, const msgpack_object *parts)
{
    const msgpack_object_array *lists[PATH_PARTS];
    for (size_t i = 0; i < PATH_PARTS; i++) {
        if (parts[i].type != MSGPACK_OBJECT_ARRAY)
            return false;
        lists[i] = &parts[i].via.array;
    }
    if (lists[0]->size == 0 || lists[2]->size % 2 != 0)
        return false;
    sh_buffer_text(writer->out, "{\"nodes\":[");
    if (!write_value(writer, &lists[0]->ptr[0]))
        return false;
    for (uint32_t i = 1; i < lists[2]->size; i += 2) {
        uint64_t node = number_of(&lists[2]->ptr[i]);
        sh_buffer_text(writer->out, ",");
        if (node >= lists[0]->size || !write_value(writer, &lists[0]->ptr[node]))
            return false;
    }
    sh_buffer_text(writer->out, "],\"edges\":[");
    for (uint32_t i = 0; i < lists[2]->size; i += 2) {
        const msgpack_object *index = &lists[2]->ptr[i];
        uint64_t edge = index->type == MSGPACK_OBJECT_NEGATIVE_INTEGER
                            ? (uint64_t)-index->via.i64
                            : number_of(index);
        if (i > 0)
            sh_buffer_text(writer->out, ",");
        if (edge == 0 || edge > lists[1]->size ||
            !write_value(writer, &lists[1]->ptr[edge - 1]))
            return false;
    }
    sh_buffer_text(writer->out, "]}");
    return true;
}

static bool write_parts(struct writer *writer, int kind, const msgpack_object *value)
{
    if (value->type != MSGPACK_OBJECT_ARRAY)
        return false;
    const msgpack_object_array *parts = &value->via.array;
    if (kind == EXT_NODE)
        return parts->size == NODE_PARTS && write_node(writer, parts->ptr);
    if (kind == EXT_RELATIONSHIP)
        return parts->size == RELATIONSHIP_PARTS &&
               write_relationship(writer, parts->ptr);
    return kind == EXT_PATH && parts->size == PATH_PARTS &&
           write_path(writer, parts->ptr);
}

static bool write_extension(struct writer *writer, const msgpack_object_ext *ext)
{
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    bool fine = msgpack_unpack_next(&unpacked, ext->ptr, ext->size, &at) ==
                    MSGPACK_UNPACK_SUCCESS &&
                write_parts(writer, ext->type, &unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
    return fine;
}

/* What JSON has no number for is null. */
static bool write_scalar(struct writer *writer, const msgpack_object *value)
{
    if (value->type == MSGPACK_OBJECT_BOOLEAN)
        json_bool(writer->out, value->via.boolean);
    else if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        json_u64(writer->out, value->via.u64);
    else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        sh_buffer_printf(writer->out, "%lld", (long long)value->via.i64);
    else if (value->type == MSGPACK_OBJECT_FLOAT32 ||
             value->type == MSGPACK_OBJECT_FLOAT64)
        json_number(writer->out, value->via.f64, DIGITS);
    else if (value->type == MSGPACK_OBJECT_STR)
        json_text(writer->out, text_of(value));
    else if (value->type == MSGPACK_OBJECT_NIL)
        sh_buffer_text(writer->out, "null");
    else
        return false;
    return true;
}

static bool write_value(struct writer *writer, const msgpack_object *value)
{
    bool fine;
    if (writer->depth++ >= DEPTH_MAX)
        return false;
    if (value->type == MSGPACK_OBJECT_ARRAY)
        fine = write_array(writer, &value->via.array);
    else if (value->type == MSGPACK_OBJECT_MAP)
        fine = write_map(writer, &value->via.map);
    else if (value->type == MSGPACK_OBJECT_EXT)
        fine = write_extension(writer, &value->via.ext);
    else
        fine = write_scalar(writer, value);
    writer->depth--;
    return fine;
}

enum sh_err graph_values_write(struct sh_bytes packed, struct sh_buffer *out)
{
    struct writer writer = {.out = out};
    msgpack_unpacked unpacked;
    size_t at = 0;
    msgpack_unpacked_init(&unpacked);
    msgpack_unpack_return read =
        msgpack_unpack_next(&unpacked, packed.data, packed.len, &at);
    bool fine = read == MSGPACK_UNPACK_SUCCESS && write_value(&writer, &unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
    if (read == MSGPACK_UNPACK_NOMEM_ERROR)
        return SH_NOMEM;
    return fine ? out->err : SH_MALFORMED;
}
