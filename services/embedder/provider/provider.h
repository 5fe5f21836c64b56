/* provider: where vectors come from. A provider takes batches of texts and answers each
 * exactly once with unit vectors; inside submit() only when it fails. Loop thread only.
 */
#ifndef EMBEDDER_PROVIDER_H
#define EMBEDDER_PROVIDER_H

#include <stdatomic.h>

#include "services/embedder/card.h"
#include "shared/bytes.h"

struct provider_text {
    struct sh_bytes text; /* with its prefix; borrowed until `done` */
    float *vector;        /* room for `dimension`; filled when err is SH_OK */
    uint32_t tokens;
    enum sh_err err; /* SH_INVALID: nothing in it; SH_MALFORMED; SH_TOOBIG; SH_TIMEOUT,
                        SH_UNAVAILABLE, SH_UPSTREAM, SH_CANCELED, SH_NOMEM */
};

struct provider_batch {
    struct provider_text *texts;
    size_t count;
    uint32_t dimension; /* of the room; another model's answer is an error */
    bool refuse_long;
    uint64_t deadline_ms;
    atomic_bool stop; /* nobody waits any more: the rest may be SH_CANCELED */
    void (*done)(struct provider_batch *batch);
    void *arg;
};

struct provider {
    struct card card; /* complete when `known` */
    bool known;
    bool opening; /* it will be known, or have given up, in a while: `changed` tells */
    bool ready;
    char why[256];          /* what keeps it from being ready, for people */
    double response_time_s; /* of the last answer; < 0: none yet */
    bool remote;            /* asking costs more than a look into Redis */
    unsigned slots;         /* batches that it works on at a time */
    size_t batch_texts;     /* most of one batch */
    size_t batch_bytes;
    void (*submit)(struct provider *self, struct provider_batch *batch);
    /* What is under way ends with SH_CANCELED before this returns. */
    void (*close)(struct provider *self);
    /* Told after each change of card, known, ready or why; may be NULL. */
    void (*changed)(void *arg);
    void *changed_arg;
};

static inline void provider_changed(struct provider *self)
{
    if (self->changed)
        self->changed(self->changed_arg);
}

static inline void provider_fail(struct provider_batch *batch, size_t first, size_t count,
                                 enum sh_err err)
{
    for (size_t i = first; i < first + count; i++)
        batch->texts[i].err = err;
}

#endif
