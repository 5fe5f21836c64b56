/* ollama: vectors from an Ollama-compatible endpoint over HTTP. Learns the model's digest
 * from /api/tags, its dimension and context length from /api/show, or the dimension from
 * the first answer; looks again every five seconds. What a fixed text becomes is compared
 * every minute, or at every look where the endpoint tells no digest, so that other
 * vectors behind the same name are another model, whatever the endpoint says. A failing
 * batch is halved down to the one bad text; what fails for want of a connection or with
 * 429 or 5xx is tried again after a pause, within a budget; after failures in a row
 * nothing is sent but one probe a second. What the endpoint answers is checked: count,
 * dimension, finite, not zero. */
#ifndef EMBEDDER_OLLAMA_H
#define EMBEDDER_OLLAMA_H

#include <uv.h>

#include "services/embedder/provider/provider.h"

struct ollama_options {
    const char *url; /* …/api/embed */
    const char *model;
    const char *query_prefix; /* "auto": what the model is known to want */
    const char *document_prefix;
    uint64_t timeout_ms;
    size_t batch_texts;
    size_t batch_bytes;
    unsigned concurrency;
    unsigned retries;
    unsigned breaker_failures;
    uint64_t poll_ms;   /* between two looks at the endpoint; 0: 5,000 */
    uint64_t verify_ms; /* between two comparisons of the fixed text; 0: 60,000 */
};

/* Not `known` until the endpoint has answered. Texts are borrowed and must outlive it.
 * Errors: SH_INVALID (no model, a URL that does not end in /api/embed), SH_NOMEM. */
SH_CHECK enum sh_err ollama_create(uv_loop_t *loop, const struct ollama_options *options,
                                   struct provider **out);

#endif
