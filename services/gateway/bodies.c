#include "services/gateway/bodies.h"

#include <xxhash.h>

#include "shared/mem.h"

struct entry {
    const struct schema *schema;
    json_t *json;
    uint64_t hash;
    size_t len;
    _Alignas(max_align_t) char body[BODIES_STRUCT];
    char bytes[];
};

struct bodies {
    struct entry *entries[BODIES_COUNT]; /* by hash; a new one takes its place */
};

struct bodies *bodies_create(void)
{
    return sh_alloc(sizeof(struct bodies));
}

static void drop(struct entry *entry)
{
    if (entry == NULL)
        return;
    json_decref(entry->json);
    sh_free(entry);
}

void bodies_free(struct bodies **self_in)
{
    struct bodies *self = *self_in;

    *self_in = NULL;
    for (size_t i = 0; self != NULL && i < BODIES_COUNT; i++)
        drop(self->entries[i]);
    sh_free(self);
}

static bool is_of(const struct entry *entry, const struct schema *schema, uint64_t hash,
                  struct sh_bytes bytes)
{
    return entry != NULL && entry->hash == hash && entry->schema == schema &&
           sh_bytes_equal((struct sh_bytes){entry->bytes, entry->len}, bytes);
}

json_t *bodies_find(struct bodies *self, const struct schema *schema,
                    struct sh_bytes bytes, void *into)
{
    if (self == NULL || bytes.len > BODIES_BYTES)
        return NULL;
    uint64_t hash = XXH3_64bits(bytes.data, bytes.len);
    struct entry *entry = self->entries[hash % BODIES_COUNT];

    if (!is_of(entry, schema, hash, bytes))
        return NULL;
    memcpy(into, entry->body, schema->size);
    return json_incref(entry->json);
}

/* Arrays lie in the arena of the request that was read. */
static bool has_array(const struct schema *schema, const void *body)
{
    bool found = false;

    for (size_t i = 0; !found && i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        const void *at = (const char *)body + field->offset;
        if (field->type == SCHEMA_OBJECT)
            found = has_array(field->of, at);
        else if (field->type == SCHEMA_TEXTS)
            found = ((const struct schema_texts *)at)->items != NULL;
        else if (field->type == SCHEMA_LIST)
            found = ((const struct schema_list *)at)->items != NULL;
    }
    return found;
}

void bodies_keep(struct bodies *self, const struct schema *schema, struct sh_bytes bytes,
                 json_t *json, const void *body)
{
    if (self == NULL || bytes.len > BODIES_BYTES || schema->size > BODIES_STRUCT ||
        has_array(schema, body))
        return;
    struct entry *entry = sh_alloc(sizeof *entry + bytes.len);
    if (entry == NULL)
        return;
    entry->schema = schema;
    entry->json = json_incref(json);
    entry->hash = XXH3_64bits(bytes.data, bytes.len);
    entry->len = bytes.len;
    memcpy(entry->body, body, schema->size);
    memcpy(entry->bytes, bytes.data, bytes.len);
    struct entry **place = &self->entries[entry->hash % BODIES_COUNT];
    drop(*place);
    *place = entry;
}
