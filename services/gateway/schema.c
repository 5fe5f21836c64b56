#include "services/gateway/schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

/* The object that is being read, and where it lies in the body. */
struct reader {
    struct sh_arena *arena;
    struct schema_fault *fault;
    char path[96]; /* "sections[3]."; "" at the top */
};

typedef enum sh_err read_fn(struct reader *reader, const struct schema_field *field,
                            json_t *value, void *at);

static enum sh_err read_object(struct reader *reader, const struct schema *schema,
                               json_t *json, void *into);

__attribute__((format(printf, 3, 4))) static enum sh_err
refuse(struct reader *reader, const char *name, const char *format, ...)
{
    struct schema_fault *fault = reader->fault;
    va_list args;
    int used;

    fault->err = SH_INVALID;
    (void)snprintf(fault->field, sizeof fault->field, "%s%s", reader->path, name);
    used = snprintf(fault->error, sizeof fault->error, "%s ", fault->field);
    va_start(args, format);
    if (used > 0 && (size_t)used < sizeof fault->error)
        (void)vsnprintf(fault->error + used, sizeof fault->error - (size_t)used, format,
                        args);
    va_end(args);
    return SH_INVALID;
}

static enum sh_err no_memory(struct reader *reader)
{
    reader->fault->err = SH_NOMEM;
    (void)snprintf(reader->fault->error, sizeof reader->fault->error, "out of memory");
    return SH_NOMEM;
}

size_t schema_characters(struct sh_bytes text)
{
    const unsigned char *data = text.data;
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (data[i] & 0xc0) != 0x80;
    return count;
}

static enum sh_err read_text(struct reader *reader, const struct schema_field *field,
                             json_t *value, void *at)
{
    if (!json_is_string(value))
        return refuse(reader, field->name, "must be a text");
    struct sh_bytes text = {json_string_value(value), json_string_length(value)};
    size_t characters = schema_characters(text);
    if ((double)characters < field->least)
        return refuse(reader, field->name, "must not be shorter than %.0f character%s",
                      field->least, field->least < 2 ? "" : "s");
    if (field->most > 0 && (double)characters > field->most)
        return refuse(reader, field->name, "must not be longer than %.0f characters",
                      field->most);
    if (field->bytes > 0 && text.len > field->bytes)
        return refuse(reader, field->name, "must not be longer than %u bytes",
                      field->bytes);
    *(struct sh_bytes *)at = text;
    return SH_OK;
}

static enum sh_err check_range(struct reader *reader, const struct schema_field *field,
                               double number)
{
    if (number >= field->least && number <= field->most)
        return SH_OK;
    return refuse(reader, field->name, "must be from %.15g to %.15g", field->least,
                  field->most);
}

static enum sh_err read_integer(struct reader *reader, const struct schema_field *field,
                                json_t *value, void *at)
{
    double number = json_number_value(value);

    if (!json_is_number(value) || number != floor(number))
        return refuse(reader, field->name, "must be a whole number");
    if (check_range(reader, field, number) != SH_OK)
        return SH_INVALID;
    *(int64_t *)at = (int64_t)number;
    return SH_OK;
}

static enum sh_err read_number(struct reader *reader, const struct schema_field *field,
                               json_t *value, void *at)
{
    if (!json_is_number(value))
        return refuse(reader, field->name, "must be a number");
    if (check_range(reader, field, json_number_value(value)) != SH_OK)
        return SH_INVALID;
    *(double *)at = json_number_value(value);
    return SH_OK;
}

static enum sh_err read_boolean(struct reader *reader, const struct schema_field *field,
                                json_t *value, void *at)
{
    if (!json_is_boolean(value))
        return refuse(reader, field->name, "must be true or false");
    *(bool *)at = json_is_true(value);
    return SH_OK;
}

static enum sh_err refuse_choice(struct reader *reader, const struct schema_field *field)
{
    char list[160] = "";
    size_t used = 0;

    for (size_t i = 0; field->choices[i] != NULL && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i > 0 ? ", " : "", field->choices[i]);
    return refuse(reader, field->name, "must be one of: %s", list);
}

static enum sh_err read_choice(struct reader *reader, const struct schema_field *field,
                               json_t *value, void *at)
{
    struct sh_bytes text = {json_string_value(value), json_string_length(value)};

    for (uint32_t i = 0; json_is_string(value) && field->choices[i] != NULL; i++)
        if (sh_bytes_is(text, field->choices[i])) {
            *(uint32_t *)at = i;
            return SH_OK;
        }
    return refuse_choice(reader, field);
}

/* Read `json` with the path extended by "name." or "name[index]." */
static enum sh_err descend(struct reader *reader, const struct schema_field *field,
                           size_t index, json_t *json, void *into)
{
    struct reader inner = {.arena = reader->arena, .fault = reader->fault};
    char place[24] = "";

    if (field->type == SCHEMA_LIST)
        (void)snprintf(place, sizeof place, "[%zu]", index);
    if (!json_is_object(json)) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", field->name, place);
        return refuse(reader, name, "must be an object");
    }
    (void)snprintf(inner.path, sizeof inner.path, "%.30s%.30s%s.", reader->path,
                   field->name, place);
    return read_object(&inner, field->of, json, into);
}

static enum sh_err read_nested(struct reader *reader, const struct schema_field *field,
                               json_t *value, void *at)
{
    return descend(reader, field, 0, value, at);
}

static enum sh_err read_freeform(struct reader *reader, const struct schema_field *field,
                                 json_t *value, void *at)
{
    if (!json_is_object(value))
        return refuse(reader, field->name, "must be an object");
    if (field->most > 0 && (double)json_dumpb(value, NULL, 0, JSON_COMPACT) > field->most)
        return refuse(reader, field->name, "must not be longer than %.0f bytes",
                      field->most);
    *(json_t **)at = value;
    return SH_OK;
}

static enum sh_err check_length(struct reader *reader, const struct schema_field *field,
                                json_t *value)
{
    size_t count = json_array_size(value);

    if ((double)count < field->least)
        return refuse(reader, field->name, "must hold at least %.0f", field->least);
    if ((double)count > field->most)
        return refuse(reader, field->name, "must hold at most %.0f", field->most);
    return SH_OK;
}

static enum sh_err read_texts(struct reader *reader, const struct schema_field *field,
                              json_t *value, void *at)
{
    struct schema_texts *texts = at;
    size_t count = json_is_string(value) ? 1 : json_array_size(value);

    if (!json_is_string(value) && !json_is_array(value))
        return refuse(reader, field->name, "must be a text or an array of texts");
    if (json_is_array(value) && check_length(reader, field, value) != SH_OK)
        return SH_INVALID;
    texts->items = sh_arena_array(reader->arena, count + 1, sizeof texts->items[0]);
    if (texts->items == NULL)
        return no_memory(reader);
    texts->single = json_is_string(value);
    for (size_t i = 0; i < count; i++) {
        json_t *item = texts->single ? value : json_array_get(value, i);
        char name[128];
        (void)snprintf(name, sizeof name, "%s[%zu]", field->name, i);
        if (!json_is_string(item))
            return refuse(reader, name,
                          "must be a text; numbers and lists of tokens are not taken");
        texts->items[i] =
            (struct sh_bytes){json_string_value(item), json_string_length(item)};
    }
    texts->count = count;
    return SH_OK;
}

static enum sh_err read_list(struct reader *reader, const struct schema_field *field,
                             json_t *value, void *at)
{
    struct schema_list *list = at;
    size_t count = json_array_size(value);

    if (!json_is_array(value))
        return refuse(reader, field->name, "must be an array");
    if (check_length(reader, field, value) != SH_OK)
        return SH_INVALID;
    char *items = sh_arena_array(reader->arena, count + 1, field->of->size);
    if (items == NULL)
        return no_memory(reader);
    for (size_t i = 0; i < count; i++) {
        enum sh_err err = descend(reader, field, i, json_array_get(value, i),
                                  items + i * field->of->size);
        if (err != SH_OK)
            return err;
    }
    *list = (struct schema_list){items, count};
    return SH_OK;
}

static read_fn *const readers[] = {
    [SCHEMA_TEXT] = read_text,         [SCHEMA_INTEGER] = read_integer,
    [SCHEMA_NUMBER] = read_number,     [SCHEMA_BOOLEAN] = read_boolean,
    [SCHEMA_CHOICE] = read_choice,     [SCHEMA_OBJECT] = read_nested,
    [SCHEMA_FREEFORM] = read_freeform, [SCHEMA_TEXTS] = read_texts,
    [SCHEMA_LIST] = read_list,
};

/* What stands when a field is absent: its `fallback`, or the defaults of an object. */
static enum sh_err use_default(struct reader *reader, const struct schema_field *field,
                               void *at)
{
    json_t *value = NULL;

    if (field->type == SCHEMA_OBJECT)
        value = json_object();
    else if (field->fallback != NULL)
        value = json_loads(field->fallback, JSON_DECODE_ANY, NULL);
    else
        return SH_OK;
    if (value == NULL)
        return no_memory(reader);
    enum sh_err err = readers[field->type](reader, field, value, at);
    json_decref(value); /* numbers, booleans and choices: nothing borrows from it */
    return err;
}

static enum sh_err read_field(struct reader *reader, const struct schema_field *field,
                              json_t *value, char *into)
{
    if (value == NULL || json_is_null(value)) {
        if (field->required)
            return refuse(reader, field->name, "is required");
        return use_default(reader, field, into + field->offset);
    }
    if (field->present > 0)
        *(bool *)(into + field->present) = true;
    return readers[field->type](reader, field, value, into + field->offset);
}

static enum sh_err read_object(struct reader *reader, const struct schema *schema,
                               json_t *json, void *into)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_field *field = &schema->fields[i];
        enum sh_err err =
            read_field(reader, field, json_object_get(json, field->name), into);
        if (err != SH_OK)
            return err;
    }
    return SH_OK;
}

enum sh_err schema_read(const struct schema *schema, json_t *json, struct sh_arena *arena,
                        void *into, struct schema_fault *fault)
{
    struct reader reader = {.arena = arena, .fault = fault};

    *fault = (struct schema_fault){0};
    memset(into, 0, schema->size);
    if (!json_is_object(json)) {
        fault->err = SH_INVALID;
        (void)snprintf(fault->error, sizeof fault->error,
                       "the body must be a JSON object");
        return SH_INVALID;
    }
    return read_object(&reader, schema, json, into);
}

const char *schema_type_name(enum schema_type type)
{
    switch (type) {
    case SCHEMA_TEXT:
    case SCHEMA_CHOICE:
        return "string";
    case SCHEMA_INTEGER:
        return "integer";
    case SCHEMA_NUMBER:
        return "number";
    case SCHEMA_BOOLEAN:
        return "boolean";
    case SCHEMA_LIST:
        return "array";
    case SCHEMA_TEXTS:
        return NULL; /* one of two */
    case SCHEMA_OBJECT:
    case SCHEMA_FREEFORM:
    default:
        return "object";
    }
}
