/* workers: a bounded queue of CPU work in front of a fixed set of named threads. Work is
 * submitted on the loop's thread, `run` happens on a worker, `done` back on the loop. */
#ifndef SHARED_WORKERS_H
#define SHARED_WORKERS_H

#include <uv.h>

#include "shared/err.h"

struct sh_workers;

/* Embedded in the caller's own struct, which must live until `done`. */
struct sh_work {
    void (*run)(struct sh_work *work);
    /* SH_OK, or SH_CANCELED when the workers were closed before it ran. */
    void (*done)(struct sh_work *work, enum sh_err err);
    struct sh_work *next; /* of the queue */
    uint64_t queued_us;   /* since when, then for how long */
};

/* threads 0: one per core. At most `queue_max` wait. `name` (≤ 10 bytes) shows in ps.
 * Errors: SH_NOMEM, SH_INVALID, SH_IO. */
SH_CHECK enum sh_err sh_workers_create(uv_loop_t *loop, const char *name,
                                       unsigned threads, size_t queue_max,
                                       struct sh_workers **out);
/* Errors: SH_BUSY when the queue is full, SH_CANCELED when closing; `done` is then never
 * called. */
SH_CHECK enum sh_err sh_workers_submit(struct sh_workers *workers, struct sh_work *work);
/* How many should wait, for waits of no more than a tenth of a second while more work
 * comes than can be done; UINT32_MAX: any number. Only a hint: queue_max is what is
 * enforced. On the loop's thread. */
uint32_t sh_workers_room(const struct sh_workers *workers);
size_t sh_workers_queued(const struct sh_workers *workers);
/* Waits for what runs, cancels what waits: every `done` has been called when this
 * returns. *self becomes NULL, memory goes on a later loop turn. NULL is fine. */
void sh_workers_close(struct sh_workers **self);

#endif
