/* vectors: the part that all the embedding routes share: ask the embedder, check what
 * comes back, and pass it on to the route's own way of writing it. */
#ifndef GATEWAY_VECTORS_H
#define GATEWAY_VECTORS_H

#include "services/gateway/exchange.h"

enum {
    VECTORS_TEXTS_MAX = 2048,
    VECTORS_DIMENSIONS_MAX = 65536,
    VECTORS_MODEL_MAX = 256
};

/* `raw`: reply->count vectors of reply->dimension float32 each, little-endian. Both are
 * borrowed. The exchange must be answered; `order` is what was asked. */
struct vectors_order;
typedef void vectors_answer_fn(struct exchange *x, const struct vectors_order *order,
                               const struct embed_reply *reply, const char *raw);

/* Texts and model must live as long as the exchange. */
struct vectors_order {
    struct sh_bytes model; /* empty: the one there is */
    const struct sh_bytes *texts;
    size_t count;     /* 0: only find out whether there is such a model */
    bool refuse_long; /* instead of cutting what the model cannot take */
    uint32_t dimensions;
    const char *too_long; /* what is said of a text that is too long */
    unsigned choice;      /* the route's own */
    vectors_answer_fn *answer;
};

/* Every error is answered here. */
void vectors_ask(struct exchange *x, const struct vectors_order *order);

/* A vector as a JSON array of numbers. */
void vectors_write(struct sh_buffer *out, const char *raw, uint32_t dimension);

#endif
