/* builtin: the models that run in this process: USE-lite where its pack can be read, the
 * hashing model otherwise, or a fitted model that is open already. Inference happens on
 * worker threads. */
#ifndef EMBEDDER_BUILTIN_H
#define EMBEDDER_BUILTIN_H

#include <uv.h>

#include "services/embedder/lsa/lsa.h"
#include "services/embedder/provider/provider.h"

struct builtin_options {
    const char *model;     /* "" takes use-lite, or hashing where that cannot be had */
    const char *model_dir; /* holds use-lite.pack */
    const char *kernel;    /* kernel_find() */
    unsigned threads;      /* 0: one per core */
    struct lsa *fitted;    /* NULL; or this one, which is the provider's on success */
};

/* Errors: SH_NOTFOUND (a named model that cannot be had; logged), SH_INVALID (kernel),
 * SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err builtin_create(uv_loop_t *loop,
                                    const struct builtin_options *options,
                                    struct provider **out);

#endif
