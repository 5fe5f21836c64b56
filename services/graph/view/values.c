#include "services/graph/view/values.h"

#include <jansson.h>
#include <stdlib.h>

#include "shared/mem.h"

struct entry {
    uint32_t key;
    uint32_t at; /* from the beginning */
};

struct member { /* while packing */
    uint32_t key;
    json_t *value;
};

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {"null",   "boolean", "integer", "float",
                                        "string", "list",    "map"};
    return names[type];
}

/* --- packing ---------------------------------------------------------------------- */

static int compare_members(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

static void put_text(struct sh_buffer *out, const char *text, size_t len)
{
    uint32_t length = (uint32_t)len;
    sh_buffer_append(out, &length, sizeof(length));
    sh_buffer_append(out, text, len);
}

static void put_value(struct sh_buffer *out, const json_t *value)
{
    static const unsigned char types[] = {
        [JSON_OBJECT] = VALUE_MAP,    [JSON_ARRAY] = VALUE_LIST,
        [JSON_STRING] = VALUE_STRING, [JSON_INTEGER] = VALUE_INTEGER,
        [JSON_REAL] = VALUE_FLOAT,    [JSON_TRUE] = VALUE_BOOLEAN,
        [JSON_FALSE] = VALUE_BOOLEAN, [JSON_NULL] = VALUE_NULL};
    enum value_type type = types[json_typeof(value)];
    char tag = (char)type;
    sh_buffer_append(out, &tag, 1);
    if (type == VALUE_BOOLEAN) {
        char flag = (char)json_is_true(value);
        sh_buffer_append(out, &flag, 1);
    } else if (type == VALUE_INTEGER) {
        int64_t integer = json_integer_value(value);
        sh_buffer_append(out, &integer, sizeof(integer));
    } else if (type == VALUE_FLOAT) {
        double real = json_real_value(value);
        sh_buffer_append(out, &real, sizeof(real));
    } else if (type == VALUE_STRING) {
        put_text(out, json_string_value(value), json_string_length(value));
    } else if (type != VALUE_NULL) {
        char *text = json_dumps(value, JSON_COMPACT);
        if (text == NULL)
            out->err = SH_NOMEM;
        else
            put_text(out, text, strlen(text));
        free(text);
    }
}

static enum sh_err number_keys(json_t *object, struct symbols *keys,
                               struct member *members)
{
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        enum sh_err err = symbols_add(keys, sh_bytes_of(name), &members[count].key);
        if (err != SH_OK)
            return err;
        members[count++].value = value;
    }
    qsort(members, count, sizeof(*members), compare_members);
    return SH_OK;
}

static void put_members(struct sh_buffer *out, const struct member *members,
                        uint32_t count)
{
    size_t start = out->len;
    sh_buffer_append(out, &count, sizeof(count));
    if (sh_buffer_reserve(out, count * sizeof(struct entry)) == NULL)
        return;
    size_t table = out->len;
    out->len += count * sizeof(struct entry);
    for (uint32_t i = 0; i < count && out->err == SH_OK; i++) {
        struct entry entry = {members[i].key, (uint32_t)(out->len - start)};
        memcpy(out->data + table + i * sizeof(entry), &entry, sizeof(entry));
        put_value(out, members[i].value);
    }
}

enum sh_err values_pack(struct sh_bytes json, struct symbols *keys, struct sh_buffer *out)
{
    json_t *object = json_loadb(json.data, json.len, 0, NULL);
    if (object == NULL) /* perhaps a whole number that 64 bits do not hold */
        object = json_loadb(json.data, json.len, JSON_DECODE_INT_AS_REAL, NULL);
    size_t count = json_object_size(object);
    size_t start = out->len;
    if (!json_is_object(object)) {
        json_decref(object);
        return SH_MALFORMED;
    }
    struct member *members = sh_alloc_array(count + 1, sizeof(*members));
    enum sh_err err = members ? number_keys(object, keys, members) : SH_NOMEM;
    if (err == SH_OK) {
        put_members(out, members, (uint32_t)count);
        err = out->err;
    }
    if (err == SH_OK && out->len - start > UINT32_MAX)
        err = SH_TOOBIG;
    sh_free(members);
    json_decref(object);
    return err;
}

/* --- reading ---------------------------------------------------------------------- */

uint32_t values_count(struct sh_bytes packed)
{
    uint32_t count = 0;
    if (packed.len >= sizeof(count))
        memcpy(&count, packed.data, sizeof(count));
    return count;
}

static struct entry entry_at(struct sh_bytes packed, uint32_t index)
{
    struct entry entry;
    memcpy(&entry,
           (const char *)packed.data + sizeof(uint32_t) + index * sizeof(struct entry),
           sizeof(entry));
    return entry;
}

static struct value value_at(struct sh_bytes packed, uint32_t at)
{
    const char *bytes = (const char *)packed.data + at;
    struct value value = {.type = (enum value_type) * bytes++};
    uint32_t len;
    switch (value.type) {
    case VALUE_NULL:
        break;
    case VALUE_BOOLEAN:
        value.flag = *bytes != 0;
        break;
    case VALUE_INTEGER:
        memcpy(&value.integer, bytes, sizeof(value.integer));
        break;
    case VALUE_FLOAT:
        memcpy(&value.real, bytes, sizeof(value.real));
        break;
    case VALUE_STRING:
    case VALUE_LIST:
    case VALUE_MAP:
        memcpy(&len, bytes, sizeof(len));
        value.text = (struct sh_bytes){bytes + sizeof(len), len};
        break;
    }
    return value;
}

/* Whether a value that begins there lies within. */
static bool value_fits(struct sh_bytes packed, uint32_t at)
{
    static const size_t sizes[] = {[VALUE_NULL] = 0,
                                   [VALUE_BOOLEAN] = 1,
                                   [VALUE_INTEGER] = sizeof(int64_t),
                                   [VALUE_FLOAT] = sizeof(double),
                                   [VALUE_STRING] = sizeof(uint32_t),
                                   [VALUE_LIST] = sizeof(uint32_t),
                                   [VALUE_MAP] = sizeof(uint32_t)};
    const unsigned char *bytes = packed.data;
    uint32_t len = 0;
    if (at >= packed.len || bytes[at] > VALUE_MAP)
        return false;
    size_t left = packed.len - at - 1;
    size_t size = sizes[bytes[at]];
    if (size > left)
        return false;
    if (bytes[at] >= VALUE_STRING)
        memcpy(&len, bytes + at + 1, sizeof(len));
    return len <= left - size;
}

bool values_valid(struct sh_bytes packed, uint32_t key_count)
{
    uint32_t count = values_count(packed);
    uint32_t before = 0;
    if (packed.len < sizeof(count) ||
        count > (packed.len - sizeof(count)) / sizeof(struct entry))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct entry entry = entry_at(packed, i);
        if (entry.key >= key_count || (i > 0 && entry.key <= before) ||
            !value_fits(packed, entry.at))
            return false;
        before = entry.key;
    }
    return true;
}

void values_at(struct sh_bytes packed, uint32_t index, uint32_t *key, struct value *out)
{
    struct entry entry = entry_at(packed, index);
    *key = entry.key;
    *out = value_at(packed, entry.at);
}

bool values_get(struct sh_bytes packed, uint32_t key, struct value *out)
{
    uint32_t low = 0;
    uint32_t high = values_count(packed);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct entry entry = entry_at(packed, middle);
        if (entry.key == key) {
            *out = value_at(packed, entry.at);
            return true;
        }
        if (entry.key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
