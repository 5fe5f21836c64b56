/* envelope: the fixed header in front of every message between services, 96 bytes
 * little-endian, read without a parser; the first frame of
 *   [header][meta]  or  [header][meta][payload]
 * after ROUTER's identity. Anything else is counted and dropped. */
#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

#include "shared/bytes.h"
#include "shared/err.h"

enum {
    ENVELOPE_BYTES = 96,
    ENVELOPE_META_MAX = 4096,         /* of requests */
    ENVELOPE_RAW_META_MAX = 64 << 10, /* of replies whose message travels in meta */
    ENVELOPE_PAYLOAD_MAX = 1 << 20,   /* of what is decoded in one frame */
    ENVELOPE_CHUNK_BYTES = 256 << 10, /* larger payloads travel in pieces of this size */
};
#define ENVELOPE_MAGIC   0x4e524143u /* "CARN" */
#define ENVELOPE_VERSION 1

/* clang-format off */
/* X(offset, bytes, member, meaning): what lies where; the rest is zero */
#define ENVELOPE_LAYOUT(X)                                                      \
    X(0,  4,  magic,           "`CARN`")                                        \
    X(4,  2,  version,         "of the protocol, 1")                            \
    X(6,  1,  type,            "see below")                                     \
    X(7,  1,  flags,           "1 raw payload, 2 more pieces follow, 4 idempotency key, 8 state, 16 a PING is wanted at once") \
    X(8,  8,  epoch,           "of the caller's connection; with `sequence` the request's id") \
    X(16, 8,  sequence,        "unique within the epoch")                       \
    X(24, 1,  attempt,         "counts the tries of a request; answers repeat it") \
    X(25, 1,  priority,        "0; kept for later")                             \
    X(26, 2,  status,          "in answers, see below")                         \
    X(28, 4,  budget_ms,       "what is left until the deadline, never wall time") \
    X(32, 4,  method,          "see below")                                     \
    X(36, 4,  payload_bytes,   "of all pieces together")                        \
    X(40, 16, trace_id,        "W3C trace context")                             \
    X(56, 8,  span_id,         "of the call")                                   \
    X(64, 16, idempotency_key, "counts when flag 4 is set; with flag 8, in answers, HELLO_ACK and PONG: how often the state changed, the state; in HELLO and PING how many changes were heard of") \
    X(80, 1,  trace_flags,     "W3C trace context")                             \
    X(82, 2,  queue_depth,     "in answers and PONG: requests being worked on") \
    X(84, 2,  credit,          "in answers, HELLO_ACK and PONG: how much the caller may have in flight; in CREDIT: pieces") \
    X(88, 4,  retry_after_ms,  "in answers; in PONG the age of the oldest request")

#define ENVELOPE_TYPES(X)                                                       \
    X(1,  HELLO,     "a caller introduces itself")                              \
    X(2,  HELLO_ACK, "the service answers: who it is and how much it takes")    \
    X(3,  REQUEST,   "work")                                                    \
    X(4,  REPLY,     "its result")                                              \
    X(5,  ERROR,     "why there is no result")                                  \
    X(6,  CANCEL,    "nobody wants the result any more")                        \
    X(7,  PING,      "asked of the work loop")                                  \
    X(8,  PONG,      "queue depth, age of the oldest request; also unasked, when the state changes") \
    X(9,  DRAINING,  "send nothing new")                                        \
    X(10, BYE,       "the sender is leaving")                                   \
    X(11, CREDIT,    "the receiver of chunks can take more")                    \
    X(12, CHUNK,     "a further piece of a payload")

/* X(value, name, error at the receiver, meaning) */
#define ENVELOPE_STATUSES(X)                                                    \
    X(0,  OK,                    SH_OK,          "done")                        \
    X(1,  INVALID,               SH_INVALID,     "the request is wrong")        \
    X(2,  NOT_FOUND,             SH_NOTFOUND,    "no such thing")               \
    X(3,  CONFLICT,              SH_CONFLICT,    "in conflict with the record") \
    X(4,  FORBIDDEN,             SH_FORBIDDEN,   "not allowed")                 \
    X(5,  REJECTED_NOT_EXECUTED, SH_REJECTED,    "safe to retry anything")      \
    X(6,  DRAINING,              SH_DRAINING,    "leaving; safe to retry")      \
    X(7,  OVERLOADED,            SH_BUSY,        "not done, try later")         \
    X(8,  DEADLINE,              SH_TIMEOUT,     "out of time")                 \
    X(9,  DEPENDENCY_DOWN,       SH_UNAVAILABLE, "what it needs is down")       \
    X(10, INTERNAL,              SH_INTERNAL,    "outcome unknown")             \
    X(11, TOO_LARGE,             SH_TOOBIG,      "over a size limit")           \
    X(12, TYPE_REFUSED,          SH_TYPE,        "a file of a type that is not taken") \
    X(13, UNREADABLE,            SH_UNREADABLE,  "a file that cannot be read")
/* clang-format on */

#define ENVELOPE_TYPE_ENUM(value, name, meaning)          TYPE_##name = (value),
#define ENVELOPE_STATUS_ENUM(value, name, error, meaning) STATUS_##name = (value),
enum envelope_type { ENVELOPE_TYPES(ENVELOPE_TYPE_ENUM) };
enum envelope_status { ENVELOPE_STATUSES(ENVELOPE_STATUS_ENUM) };
#undef ENVELOPE_TYPE_ENUM
#undef ENVELOPE_STATUS_ENUM

enum {                    /* flags */
       ENVELOPE_RAW = 1,  /* the payload is raw bytes (vectors); the message is in meta */
       ENVELOPE_MORE = 2, /* the payload goes on in CHUNK messages */
       ENVELOPE_KEY = 4,  /* idempotency_key counts */
       ENVELOPE_STATE = 8, /* envelope_state() has something to tell */
       ENVELOPE_TELL = 16, /* of a PONG: a PING is wanted at once */
};

struct envelope {
    uint16_t version;
    uint8_t type;
    uint8_t flags;
    uint64_t epoch; /* of the caller's socket; with sequence the request's id */
    uint64_t sequence;
    uint8_t attempt;
    uint8_t priority;
    uint16_t status;    /* replies */
    uint32_t budget_ms; /* what is left until the deadline, never wall time */
    uint32_t method;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t trace_flags;
    uint8_t idempotency_key[16];
    uint16_t queue_depth;    /* replies, PONG */
    uint16_t credit;         /* replies, HELLO_ACK */
    uint32_t retry_after_ms; /* replies; in PONG the age of the oldest request */
    uint32_t payload_bytes;  /* of all chunks together */
};

void envelope_write(const struct envelope *envelope, uint8_t out[static ENVELOPE_BYTES]);
/* The state of the data that a service answers from, in the room of idempotency_key: any
 * number, the same wherever the data is the same, 0 when it is not known; `changes`
 * counts up, so that the later of two can be told. */
void envelope_set_state(struct envelope *envelope, uint64_t changes, uint64_t state);
/* False: it tells nothing of it, as older services. */
bool envelope_state(const struct envelope *envelope, uint64_t *changes, uint64_t *state);
/* Errors: SH_MALFORMED (length, magic, unknown type). Another version is not an error. */
SH_CHECK enum sh_err envelope_read(struct sh_bytes frame, struct envelope *out);
const char *envelope_type_name(uint8_t type);
const char *envelope_status_name(uint16_t status);
/* One table between the wire and err.h; what has no status of its own is INTERNAL. */
enum envelope_status envelope_status_of(enum sh_err err);
enum sh_err envelope_status_err(uint16_t status);

#endif
