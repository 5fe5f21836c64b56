/* models: asking the embedder what models it has. */
#ifndef GATEWAY_MODELS_H
#define GATEWAY_MODELS_H

#include "services/gateway/exchange.h"

struct models_found {
    const struct model_card *cards; /* borrowed */
    size_t count;
};
typedef void models_found_fn(struct exchange *x, const struct models_found *found);

/* All there are, possibly none. Errors are answered here; x->state stays the caller's. */
void models_all(struct exchange *x, models_found_fn *found);
/* The one of this name (with or without ":latest"; empty: any); 404 when there is none.
 * `name` must live as long as the exchange. */
void models_find(struct exchange *x, struct sh_bytes name, models_found_fn *found);

#endif
