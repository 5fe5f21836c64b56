/* schema: what a JSON body may hold, as a table. One table per body gives the check of
 * the input, its defaults and the description in /openapi.json:
 *
 *   static const struct schema_field fields[] = {
 *       {.name = "max_results", .type = SCHEMA_INTEGER, .least = 1, .most = INT32_MAX,
 *        .offset = offsetof(struct search_config, max_results), .fallback = "10"}, …
 *
 * Members that no row names are ignored; null counts as absent. Any thread. */
#ifndef GATEWAY_SCHEMA_H
#define GATEWAY_SCHEMA_H

#include <jansson.h>

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

enum schema_type {                  /* the member of the C struct */
                   SCHEMA_TEXT,     /* struct sh_bytes; least and most count characters */
                   SCHEMA_INTEGER,  /* int64_t */
                   SCHEMA_NUMBER,   /* double */
                   SCHEMA_BOOLEAN,  /* bool */
                   SCHEMA_CHOICE,   /* uint32_t: place in `choices` */
                   SCHEMA_OBJECT,   /* struct of `of`, embedded; its defaults stand when
                                       absent */
                   SCHEMA_FREEFORM, /* json_t *: any object; most: bytes of its text */
                   SCHEMA_TEXTS,    /* struct schema_texts: a text or an array of texts */
                   SCHEMA_LIST,     /* struct schema_list: an array of objects of `of` */
};

struct schema;

struct schema_field {
    const char *name;
    enum schema_type type;
    size_t offset;
    double least; /* of a number, or of a length */
    double most;
    uint32_t bytes; /* TEXT: longest in bytes, for what the bus takes; 0: four a
                       character */
    bool required;
    const char *fallback;       /* JSON; NULL: zero, empty or absent */
    const char *const *choices; /* ended by NULL */
    const struct schema *of;
    size_t present; /* where a bool says that it was given; 0: nowhere */
    const char *help;
};

struct schema {
    const char *name; /* "SearchRequest": its name in /openapi.json */
    const char *help;
    size_t size; /* of the C struct */
    const struct schema_field *fields;
    size_t count;
};

struct schema_texts {
    struct sh_bytes *items; /* NULL when absent */
    size_t count;
    bool single; /* a text, not an array */
};

struct schema_list {
    void *items; /* NULL when absent */
    size_t count;
};

/* What is wrong, and where. */
struct schema_fault {
    enum sh_err err; /* SH_INVALID or SH_NOMEM */
    char field[128]; /* "sections[3].title"; "" for the body itself */
    char error[256];
};

/* Fill `into` (schema->size bytes) from a parsed body: defaults first. Texts borrow from
 * `json`, arrays live in `arena`. Errors: those of `fault`. */
SH_CHECK enum sh_err schema_read(const struct schema *schema, json_t *json,
                                 struct sh_arena *arena, void *into,
                                 struct schema_fault *fault);

/* As JSON Schema calls it; NULL: one of two. */
const char *schema_type_name(enum schema_type type);

/* Code points of UTF-8 text. */
size_t schema_characters(struct sh_bytes text);

#endif
