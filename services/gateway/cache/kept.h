/* kept: an answer to a search as it is kept in memory and in Redis: the key that it is
 * the answer to, whole, and the JSON before and behind the members that are new in every
 * answer. What comes from Redis is checked before it is used. Any thread. */
#ifndef GATEWAY_CACHE_KEPT_H
#define GATEWAY_CACHE_KEPT_H

#include "proto/msg.h"
#include "shared/buffer.h"

enum {
    KEPT_KEY_MAX = 8192,      /* longer ones are not kept */
    KEPT_BYTES_MAX = 1 << 19, /* nor longer answers, key included */
};

/* --- keys ------------------------------------------------------------------------- */

/* Everything that an answer depends on: the state of what is searched, the caller but for
 * who it is, the whole question. Whatever is added to either message is part of it. */
struct kept_key {
    struct sh_bytes bytes;
    uint64_t hash[2];
    struct sh_bytes question; /* the encoded search_query, within `bytes` */
};

/* Into `out`, which is emptied; `key` borrows from it. Errors: SH_TOOBIG, SH_MALFORMED
 * (no UTF-8), SH_NOMEM. */
SH_CHECK enum sh_err kept_key_make(uint64_t generation, const struct caller *caller,
                                   const struct search_query *query,
                                   struct sh_buffer *out, struct kept_key *key);
/* The same question in another state: the bytes change in place. */
void kept_key_restate(void *bytes, uint64_t generation, struct kept_key *key);
bool kept_key_equal(const struct kept_key *a, struct sh_bytes bytes);

/* --- answers ---------------------------------------------------------------------- */

struct kept {
    struct sh_bytes key;
    struct sh_bytes head;
    struct sh_bytes tail;
    uint32_t results;
    uint64_t expires_ms; /* Unix */
};

/* Write one: begin, the head, kept_middle(), the tail, end. `out` is emptied. */
void kept_begin(struct sh_buffer *out, struct sh_bytes key);
size_t kept_middle(const struct sh_buffer *out);
void kept_end(struct sh_buffer *out, size_t middle, size_t key_len, uint32_t results,
              uint64_t expires_ms);
/* The parts of what kept_end() made, or kept_check() found to be whole. */
struct kept kept_parts(struct sh_bytes bytes);
/* Whether bytes from outside are an answer: nothing is read beyond them, head and tail
 * make up a JSON object. */
bool kept_check(struct sh_bytes bytes);

#endif
