/* everywhere: waits until the views of all replicas of a service show a write. The
 * gateway asks each replica that it is connected to; one that takes no work at the
 * moment, or is lost meanwhile, counts as one that does not show it. A replica that is
 * not there loads its view before it answers anybody, so nobody waits for it. Loop thread
 * only. */
#ifndef GATEWAY_EVERYWHERE_H
#define GATEWAY_EVERYWHERE_H

#include "services/gateway/edge.h"

struct everywhere;

struct everywhere_answer {
    uint32_t replicas; /* there are, as far as this gateway knows */
    uint32_t visible;  /* of these show it */
};
typedef void everywhere_done_fn(void *arg, struct everywhere_answer answer);

struct everywhere_order {
    const struct caller *caller;
    const struct sh_trace *trace;
    uint64_t xid;
    uint32_t wait_ms;
    enum peer peer; /* whose replicas; search where it is not said */
};

/* `done` once, never from inside. Errors: SH_NOMEM; SH_UNAVAILABLE: there is nobody to
 * ask. */
SH_CHECK enum sh_err everywhere_ask(struct edge *edge,
                                    const struct everywhere_order *order,
                                    everywhere_done_fn *done, void *arg,
                                    struct everywhere **out);
/* `done` is not called any more. NULL is fine. */
void everywhere_cancel(struct everywhere **self);

#endif
