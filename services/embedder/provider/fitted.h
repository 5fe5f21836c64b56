/* fitted: a model that was fitted to the corpus, by its fingerprint. Its file is looked
 * for in a directory and, where it is not there or not good, fetched from search; until
 * then the provider is `opening`. It gives up when search has no such model, or cannot be
 * asked for a while: neither known nor opening. The vectors are builtin's work. */
#ifndef EMBEDDER_FITTED_H
#define EMBEDDER_FITTED_H

#include <uv.h>

#include "services/embedder/provider/provider.h"
#include "shared/rpc_client.h"

struct fitted_options {
    const char *fingerprint;
    const char *dir;              /* must outlive the provider */
    struct sh_rpc_client *search; /* NULL: the directory is all there is */
    unsigned threads;             /* 0: one per core */
};

/* Sixty-four hexadecimal digits: nothing else may become the name of a file. */
bool fitted_is_fingerprint(struct sh_bytes text);

/* Errors: SH_NOTFOUND (no fingerprint), SH_NOMEM, SH_INVALID (a path too long). */
SH_CHECK enum sh_err fitted_create(uv_loop_t *loop, const struct fitted_options *options,
                                   struct provider **out);

#endif
