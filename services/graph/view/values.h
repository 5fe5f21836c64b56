/* values: the properties of a node or an edge, packed: {key, where} in order of the keys'
 * numbers, then the values. Lists and maps stay JSON text. Pure. */
#ifndef GRAPH_VALUES_H
#define GRAPH_VALUES_H

#include "services/graph/view/symbols.h"
#include "shared/buffer.h"

enum value_type {
    VALUE_NULL,
    VALUE_BOOLEAN,
    VALUE_INTEGER,
    VALUE_FLOAT,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_MAP,
};

struct value {
    enum value_type type;
    union {
        bool flag;
        int64_t integer;
        double real;
        struct sh_bytes text; /* STRING; LIST and MAP: JSON */
    };
};

/* "integer", as people see it. */
const char *value_type_name(enum value_type type);

/* Append the packed form of `json`, an object, to `out`;
 * its keys become symbols. Where a whole number is
 * over 64 bits, all are floats. Errors: SH_MALFORMED: no JSON object (or a number beyond
 * any float), SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err values_pack(struct sh_bytes json, struct symbols *keys,
                                 struct sh_buffer *out);
/* Whether these bytes, from wherever, can be read by the functions below: each value lies
 * in them, keys are below `key_count` and in order. What texts say is not looked at. */
bool values_valid(struct sh_bytes packed, uint32_t key_count);
/* False: no such property. *out borrows from `packed`. */
bool values_get(struct sh_bytes packed, uint32_t key, struct value *out);
uint32_t values_count(struct sh_bytes packed);
/* The property at `index` < count, in order of the keys' numbers. */
void values_at(struct sh_bytes packed, uint32_t index, uint32_t *key, struct value *out);
/* Append them as a JSON object, keys in order of their numbers. Errors stick in `out`. */
void values_write(struct sh_bytes packed, const struct symbols *keys,
                  struct sh_buffer *out);
/* One value, or a text with its quotes, as JSON. */
void values_write_one(struct sh_buffer *out, const struct value *value);
void values_write_text(struct sh_buffer *out, struct sh_bytes text);
/* In the order of openCypher: by type, then by value; what cannot be compared further is
 * equal. Numbers of both types are one. */
int values_compare(const struct value *left, const struct value *right);

#endif
