/* msg: C structs and codecs for the tables in messages.h. On the wire a message is a
 * msgpack array: id, then the fields in order; a list is an array of such arrays. Fields
 * that the sender left out stay zero, further ones are ignored: neighbouring releases
 * understand each other.
 *
 *   struct search_query query;
 *   err = msg_decode(search_query_desc(), bytes, arena, &query); */
#ifndef PROTO_MSG_H
#define PROTO_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/messages.h"
#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

enum msg_type {
    MSG_u32,
    MSG_u64,
    MSG_f64,
    MSG_flag,
    MSG_str,
    MSG_json,
    MSG_bytes,
    MSG_strs,
    MSG_list
};

/* Members by type: a text or list is borrowed, from the caller (encode) or from the frame
 * and the arena (decode). A list of `of` has two members, NAME and NAME_count. */
#define MSG_MEMBER_u32(name, of)   uint32_t name;
#define MSG_MEMBER_u64(name, of)   uint64_t name;
#define MSG_MEMBER_f64(name, of)   double name;
#define MSG_MEMBER_flag(name, of)  bool name;
#define MSG_MEMBER_str(name, of)   struct sh_bytes name;
#define MSG_MEMBER_json(name, of)  struct sh_bytes name;
#define MSG_MEMBER_bytes(name, of) struct sh_bytes name;
#define MSG_MEMBER_strs(name, of)                                                        \
    const struct sh_bytes *name;                                                         \
    size_t name##_count;
#define MSG_MEMBER_list(name, of)                                                        \
    const struct of *name;                                                               \
    size_t name##_count;
#define MSG_MEMBER(type, name, max, of) MSG_MEMBER_##type(name, of)

struct msg_desc;

struct msg_field {
    const char *name;
    enum msg_type type;
    size_t offset;
    size_t count_offset; /* strs, list */
    uint64_t max;
    const struct msg_desc *(*of)(void); /* list */
};

struct msg_desc {
    uint32_t id;
    const char *name;
    size_t size; /* of the struct */
    const struct msg_field *fields;
    size_t count;
};

/* The order of the members is that of the wire, where fields are only ever appended: no
 * struct is rearranged to save padding. */
/* NOLINTBEGIN(clang-analyzer-optin.performance.Padding) */
#define MSG_DECLARE(id, name, FIELDS)                                                    \
    struct name {                                                                        \
        FIELDS(MSG_MEMBER)                                                               \
    };                                                                                   \
    const struct msg_desc *name##_desc(void);
MESSAGES(MSG_DECLARE)
/* NOLINTEND(clang-analyzer-optin.performance.Padding) */
#undef MSG_DECLARE

/* Appended to `out`, all or nothing. Errors: SH_TOOBIG (a field over its max),
 * SH_MALFORMED (a str that is not UTF-8), SH_NOMEM. */
SH_CHECK enum sh_err msg_encode(const struct msg_desc *desc, const void *msg,
                                struct sh_buffer *out);

/* Texts point into `frame`; lists live in `arena`. The bytes are scanned before anything
 * is allocated: depth, the sum of declared elements, every length against what is left,
 * exact consumption. `msg` is zeroed first. Errors: SH_MALFORMED, SH_TOOBIG, SH_NOMEM. */
SH_CHECK enum sh_err msg_decode(const struct msg_desc *desc, struct sh_bytes frame,
                                struct sh_arena *arena, void *msg);

/* Every message, ended by NULL: for tests, fuzzing and the documentation. */
const struct msg_desc *const *msg_all(void);
/* "search.query", or "unknown". */
const char *method_name(uint32_t method);

#endif
