/* metadata: a document's JSON object laid flat for filters: one value a line, members of
 * objects under dotted names ("position.lat"), every element of an array under the
 * array's name. Pure: any thread. */
#ifndef SEARCH_METADATA_H
#define SEARCH_METADATA_H

#include "shared/bytes.h"
#include "shared/err.h"

enum metadata_type { METADATA_TEXT, METADATA_NUMBER, METADATA_FLAG };

struct metadata_value {
    struct sh_bytes key;
    uint32_t hash; /* of key */
    uint8_t type;
    bool dated; /* a text that is a date (shared/date.h): `number` is its Unix time */
    struct sh_bytes text; /* METADATA_TEXT */
    double number;        /* METADATA_FLAG: 0 or 1 */
};

struct metadata {
    size_t count;
    struct metadata_value values[];
};

enum { METADATA_DEPTH = 8, METADATA_KEY_MAX = 512 };

/* Values nested deeper or under longer names cannot be filtered by and are left out. An
 * empty text is an empty object. *out is one block, released by sh_free(). Errors:
 * SH_INVALID (not a JSON object), SH_NOMEM. */
SH_CHECK enum sh_err metadata_parse(struct sh_bytes json, struct metadata **out);
size_t metadata_bytes(const struct metadata *metadata);
uint32_t metadata_hash(struct sh_bytes key);

#endif
