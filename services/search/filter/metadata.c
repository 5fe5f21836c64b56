#include "services/search/filter/metadata.h"

#include <jansson.h>

#include "services/search/text/terms.h"
#include "shared/date.h"
#include "shared/mem.h"

/* Walked twice: once to measure, once to fill the block. */
struct walk {
    struct metadata *into; /* NULL: measure */
    size_t count;
    size_t bytes; /* of keys and texts */
    char *texts;  /* where the next text goes */
    char key[METADATA_KEY_MAX];
};

uint32_t metadata_hash(struct sh_bytes key)
{
    return terms_hash(key);
}

static struct sh_bytes keep(struct walk *walk, struct sh_bytes bytes)
{
    walk->bytes += bytes.len;
    if (!walk->into)
        return bytes;
    struct sh_bytes kept = {walk->texts, bytes.len};
    if (bytes.len > 0)
        memcpy(walk->texts, bytes.data, bytes.len);
    walk->texts += bytes.len;
    return kept;
}

static void add(struct walk *walk, size_t key_len, const json_t *json)
{
    struct metadata_value value = {.type = METADATA_NUMBER};
    if (json_is_string(json))
        value.type = METADATA_TEXT;
    else if (json_is_boolean(json))
        value.type = METADATA_FLAG;
    else if (!json_is_number(json))
        return; /* null says nothing */
    value.key = keep(walk, (struct sh_bytes){walk->key, key_len});
    value.hash = metadata_hash(value.key);
    value.number = json_is_number(json) ? json_number_value(json) : json_is_true(json);
    if (value.type == METADATA_TEXT) {
        value.text = keep(
            walk, (struct sh_bytes){json_string_value(json), json_string_length(json)});
        value.dated = sh_date_parse(value.text, &value.number);
    }
    if (walk->into)
        walk->into->values[walk->count] = value;
    walk->count++;
}

/* NOLINTNEXTLINE(misc-no-recursion): METADATA_DEPTH bounds it */
static void visit(struct walk *walk, size_t key_len, json_t *json, int depth)
{
    const char *name = NULL;
    json_t *member = NULL;
    size_t index = 0;

    if (json_is_array(json)) {
        json_array_foreach(json, index, member)
        {
            if (!json_is_array(member) && !json_is_object(member))
                add(walk, key_len, member);
        }
        return;
    }
    if (!json_is_object(json)) {
        add(walk, key_len, json);
        return;
    }
    if (depth == METADATA_DEPTH)
        return;
    json_object_foreach(json, name, member)
    {
        size_t len = strlen(name);
        size_t dot = key_len > 0;
        if (key_len + dot + len > METADATA_KEY_MAX)
            continue;
        if (dot)
            walk->key[key_len] = '.';
        memcpy(walk->key + key_len + dot, name, len);
        visit(walk, key_len + dot + len, member, depth + 1);
    }
}

static enum sh_err flatten(json_t *root, struct metadata **out)
{
    struct walk measure = {0};
    visit(&measure, 0, root, 0);
    size_t values = measure.count * sizeof(struct metadata_value);
    struct metadata *metadata = sh_alloc(sizeof(*metadata) + values + measure.bytes + 1);
    if (!metadata)
        return SH_NOMEM;
    struct walk fill = {.into = metadata,
                        .texts = (char *)metadata + sizeof(*metadata) + values};
    visit(&fill, 0, root, 0);
    metadata->count = fill.count;
    *out = metadata;
    return SH_OK;
}

enum sh_err metadata_parse(struct sh_bytes json, struct metadata **out)
{
    json_error_t error;
    json_t *root = NULL;
    *out = NULL;
    root = json.len > 0 ? json_loadb(json.data, json.len, JSON_DECODE_INT_AS_REAL, &error)
                        : json_object();
    if (!root)
        return json.len > 0 && json_error_code(&error) != json_error_out_of_memory
                   ? SH_INVALID
                   : SH_NOMEM;
    enum sh_err err = json_is_object(root) ? flatten(root, out) : SH_INVALID;
    json_decref(root);
    return err;
}

size_t metadata_bytes(const struct metadata *metadata)
{
    size_t bytes = sizeof(*metadata) + metadata->count * sizeof(metadata->values[0]);
    for (size_t i = 0; i < metadata->count; i++)
        bytes += metadata->values[i].key.len + metadata->values[i].text.len;
    return bytes;
}
