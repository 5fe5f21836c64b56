/* record: one entry of the audit log. Its fields are declared once; the row that is
 * hashed and stored, the line of the log and what is read back from a line come from that
 * table, so nothing that is shown stands outside the hash. Any thread. */
#ifndef GATEWAY_AUDIT_RECORD_H
#define GATEWAY_AUDIT_RECORD_H

#include <jansson.h>

#include "shared/buffer.h"

enum {
    AUDIT_HASH = 64,       /* hex digits of SHA-256 */
    AUDIT_CHAIN = 36,      /* name of a chain: a UUID */
    AUDIT_QUERY_HASH = 16, /* hex digits of a query's */
    AUDIT_FIELDS_MAX = 32
};

/* A kind, a name (member, column, key of the line), the longest text in bytes; the order
 * is that of the hashed bytes. */
/* clang-format off */
#define AUDIT_FIELDS(F)                                                                  \
    F(text,   chain,            AUDIT_CHAIN)                                             \
    F(number, seq,              0)     /* from 1 */                                      \
    F(number, at_us,            0)     /* since 1970 */                                  \
    F(text,   request_id,       64)                                                      \
    F(text,   user_id,          128)                                                     \
    F(text,   user_role,        64)                                                      \
    F(text,   department,       128)                                                     \
    F(text,   auth,             32)    /* how the caller was known */                    \
    F(text,   action,           64)    /* operation of the route, or audit.… */          \
    F(text,   target,           256)   /* what it was done to */                         \
    F(number, status,           0)     /* HTTP; 0: none */                               \
    F(text,   outcome,          16)                                                      \
    F(text,   code,             64)    /* of the problem, or the reason */               \
    F(text,   query_hash,       AUDIT_QUERY_HASH)                                        \
    F(text,   query,            16384) /* only with AUDIT_QUERY_TEXT=full */             \
    F(text,   filters_applied,  4096)  /* JSON */                                        \
    F(number, results_returned, 0)     /* -1: does not apply */                          \
    F(number, response_us,      0)                                                       \
    F(text,   ip_address,       64)                                                      \
    F(text,   user_agent,       255)                                                     \
    F(text,   detail,           32768) /* JSON of the log's own records */               \
    F(text,   key_id,           16)    /* of AUDIT_KEY; "": not keyed */                 \
    F(text,   prev,             AUDIT_HASH)
/* clang-format on */

#define AUDIT_TYPE_text               struct sh_bytes
#define AUDIT_TYPE_number             int64_t
#define AUDIT_MEMBER(kind, name, max) AUDIT_TYPE_##kind name;
struct audit_record {
    AUDIT_FIELDS(AUDIT_MEMBER)
    struct sh_bytes hash; /* over all of the above */
};
#undef AUDIT_MEMBER

enum audit_kind { AUDIT_text, AUDIT_number };
struct audit_field {
    enum audit_kind kind;
    const char *name;
    size_t offset;
    size_t max;
};
extern const struct audit_field audit_fields[];
extern const size_t audit_fields_count;

/* A field of a record, and its place to write to. */
struct sh_bytes audit_text(const struct audit_record *record,
                           const struct audit_field *field);
int64_t audit_number(const struct audit_record *record, const struct audit_field *field);
struct sh_bytes *audit_text_at(struct audit_record *record,
                               const struct audit_field *field);
int64_t *audit_number_at(struct audit_record *record, const struct audit_field *field);

/* The text fit for PostgreSQL, a terminal and a line: cut to `max` bytes between
 * characters; what is no UTF-8, control characters and marks that turn text around become
 * U+FFFD. */
void audit_clean(struct sh_bytes text, size_t max, struct sh_buffer *out);
/* audit_clean() would give the very same, and no row and no line escapes any of it. */
bool audit_is_plain(struct sh_bytes text, size_t max);

/* The fields as PostgreSQL's COPY reads them, parted by tabs, the time in full; neither
 * the hash nor a newline at the end. This is what is hashed: as tabs, newlines and
 * backslashes within texts are escaped, no two records have the same bytes. `plain`:
 * all texts are. */
void audit_row(const struct audit_record *record, bool plain, struct sh_buffer *out);
/* What was hashed before there were rows: each field with its length in front. */
void audit_canonical(const struct audit_record *record, struct sh_buffer *out);
/* One line of JSON with its newline, as the log has it. */
void audit_line(const struct audit_record *record, bool plain, struct sh_buffer *out);
/* From such a line; texts borrow from *json, which the caller ends by json_decref().
 * False: it is not a line that audit_line() writes, to the byte. */
SH_CHECK bool audit_parse(struct sh_bytes line, struct audit_record *record,
                          json_t **json);

#endif
