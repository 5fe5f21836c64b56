/* changefeed_wait: callers that wait for a transaction to be in the view. They are always
 * told by a timer of the loop, never from inside a call. Loop thread only. */
#ifndef SHARED_CHANGEFEED_WAIT_H
#define SHARED_CHANGEFEED_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/err.h"

struct changefeed_waiter;

struct changefeed_waiters {
    struct changefeed_waiter *first;
    uint64_t applied_below;
    uint64_t due_ms;
    uv_timer_t timer;
    void (*closed)(void *arg);
    void *arg;
};

void changefeed_waiters_init(struct changefeed_waiters *waiters, uv_loop_t *loop,
                             void (*closed)(void *arg), void *arg);
/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err changefeed_waiters_add(struct changefeed_waiters *waiters,
                                            uint64_t xid, uint64_t deadline_ms,
                                            void (*done)(void *arg, enum sh_err err),
                                            void *arg);
/* Transactions before `applied_below` are in the view now. */
void changefeed_waiters_wake(struct changefeed_waiters *waiters, uint64_t applied_below);
/* All get SH_CANCELED before this returns; `closed` on a later turn. */
void changefeed_waiters_close(struct changefeed_waiters *waiters);

#endif
