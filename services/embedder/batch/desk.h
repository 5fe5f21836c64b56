/* desk: where requests for vectors come in and leave. Each text is looked for in memory
 * and in Redis; equal texts become one job, whoever asks; jobs that wait together go to
 * the provider as one batch, queries before documents. Loop thread only. */
#ifndef EMBEDDER_DESK_H
#define EMBEDDER_DESK_H

#include <uv.h>

#include "services/embedder/cache/lru.h"
#include "services/embedder/cache/remote.h"
#include "services/embedder/provider/provider.h"

struct desk;
struct desk_request;

struct desk_options {
    struct provider *provider; /* must outlive it */
    struct lru *lru;
    struct remote *remote; /* NULL: none */
    bool remote_documents; /* look there for documents too */
    size_t queue_max;      /* texts that may wait */
};

SH_CHECK enum sh_err desk_create(uv_loop_t *loop, const struct desk_options *options,
                                 struct desk **out);
/* What waits gets SH_CANCELED before this returns; close the provider first. */
void desk_close(struct desk **desk);

struct desk_ask {
    const struct sh_bytes *texts; /* copied */
    size_t count;
    uint32_t purpose; /* of proto/messages.h */
    bool refuse_long;
    uint64_t deadline_ms;
};

struct desk_answer {
    uint32_t dimension;
    size_t count;
    const float *vectors;    /* count × dimension; zeros where err is not SH_OK */
    const enum sh_err *errs; /* by text */
    uint64_t tokens;
    const char *fingerprint; /* of the model that made them */
};

/* Exactly once per accepted request, never from inside desk_submit(); borrowed until it
 * returns. */
typedef void desk_done_fn(void *arg, const struct desk_answer *answer);

/* *out (may be NULL) serves desk_cancel() until `done`. Errors: SH_UNAVAILABLE (the model
 * is not known yet), SH_BUSY (too much waits), SH_NOMEM; `done` is then never called. */
SH_CHECK enum sh_err desk_submit(struct desk *self, const struct desk_ask *ask,
                                 desk_done_fn *done, void *arg,
                                 struct desk_request **out);
/* Nobody wants the answer: `done` is not called; what is only for it is not computed. */
void desk_cancel(struct desk_request *request);

size_t desk_queued(const struct desk *self);
/* The provider's model changed: what is cached in memory belongs to another. */
void desk_forget(struct desk *self);

#endif
