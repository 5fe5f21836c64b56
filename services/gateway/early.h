/* early: requests that come before the first replica of search is known. A gateway that
 * was just started listens at once, and its clients shake hands a few milliseconds later:
 * what comes in between waits for that, START_PATIENCE_MS at most, instead of failing.
 * Once over, it is over for the life of the edge. Loop thread only. */
#ifndef GATEWAY_EARLY_H
#define GATEWAY_EARLY_H

#include <uv.h>

#include "shared/bytes.h"
#include "shared/err.h"

struct early;
struct exchange;

typedef void early_fn(struct exchange *x);

/* `dispatch` gets what waited, in order. Errors: SH_NOMEM. */
SH_CHECK enum sh_err early_create(uv_loop_t *loop, uint64_t patience_ms,
                                  early_fn *dispatch, struct early **out);
/* True: the exchange waits. */
bool early_hold(struct early *early, struct exchange *x);
/* Its client left. */
void early_forget(struct early *early, struct exchange *x);
/* Nothing waits any more. */
void early_end(struct early *early);
/* What waits must be gone. *early becomes NULL; memory goes on a later loop turn. */
void early_close(struct early **early);

#endif
