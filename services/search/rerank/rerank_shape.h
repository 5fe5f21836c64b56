/* rerank_shape: what a re-ranking endpoint is asked and what it answers, as JSON that is
 * not trusted. Two shapes: that of Hugging Face's Text Embeddings Inference
 * (https://huggingface.github.io/text-embeddings-inference, POST /rerank), and that of
 * Cohere (https://docs.cohere.com/reference/rerank), which vLLM, Jina, Infinity and
 * others speak too. No I/O. */
#ifndef SEARCH_RERANK_SHAPE_H
#define SEARCH_RERANK_SHAPE_H

#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/err.h"

enum rerank_shape { RERANK_TEI, RERANK_COHERE };
enum { RERANK_TEXT_BYTES = 8192 }; /* of a text are sent: more than such models read */

struct rerank_question {
    struct sh_bytes query;
    const struct sh_bytes *texts;
    size_t count;
};

/* `model` only goes to Cohere's shape, and only when it is not empty. Errors: SH_NOMEM,
 * SH_MALFORMED (not UTF-8). */
SH_CHECK enum sh_err rerank_request(enum rerank_shape shape, const char *model,
                                    const struct rerank_question *question,
                                    struct sh_buffer *out);
/* A score for each of the `count` texts, 0 to 1: numbers outside that are logits and go
 * through the logistic function, all of the answer alike. An answer that misses a text,
 * names one twice or that was not sent, or has anything but finite numbers is refused as
 * a whole. Errors: SH_UPSTREAM, SH_NOMEM. */
SH_CHECK enum sh_err rerank_scores(enum rerank_shape shape, struct sh_bytes body,
                                   size_t count, double *scores);

#endif
