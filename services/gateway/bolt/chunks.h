/* chunks: how Bolt cuts messages for the wire: a length of two bytes before each piece, a
 * length of nothing after the last. Loop thread. */
#ifndef GATEWAY_BOLT_CHUNKS_H
#define GATEWAY_BOLT_CHUNKS_H

#include "shared/buffer.h"

/* A message that is being put together; {.most = …} is the beginning. */
struct chunks {
    struct sh_buffer message; /* owned: chunks_free() */
    size_t most;              /* bytes of a message */
    uint16_t missing;         /* of the piece under way */
};

enum chunks_result { CHUNKS_MORE, CHUNKS_MESSAGE, CHUNKS_TOO_BIG, CHUNKS_NO_MEMORY };

/* Take bytes until a message is whole; *taken says how many. Pieces of nothing between
 * messages are signs of life, and passed over. After CHUNKS_MESSAGE the message is in
 * `message` until chunks_clear(), which must come before the next call. */
SH_CHECK enum chunks_result chunks_take(struct chunks *self, struct sh_bytes bytes,
                                        size_t *taken);
/* Part of a message has come, or of a length. */
bool chunks_is_partial(const struct chunks *self);
void chunks_clear(struct chunks *self);
void chunks_free(struct chunks *self);
/* Whether, of the whole messages that the bytes begin with, one is a structure without
 * fields of this tag. */
bool chunks_hold(struct sh_bytes bytes, uint8_t tag);

/* A message is written to the end of `out` between these two; `begin` is what the first
 * one gave. What is longer than a piece may be is cut afterwards. */
size_t chunks_begin(struct sh_buffer *out);
void chunks_end(struct sh_buffer *out, size_t begin);

#endif
