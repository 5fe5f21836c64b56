/* limiter: takes a token from each of several buckets, or from none: from the ledger
 * where that knows, else from Redis, and from this gateway's share while Redis is away.
 * One per loop; the ledger is the process's. Loop thread only, but for what is said of
 * limiter_shared. */
#ifndef GATEWAY_LIMITS_LIMITER_H
#define GATEWAY_LIMITS_LIMITER_H

#include <stdatomic.h>
#include <uv.h>

#include "services/gateway/limits/ledger.h"
#include "shared/redis.h"

enum { LIMITER_BUCKETS = 4 };

/* What the loops have in common. */
struct limiter_shared {
    struct ledger *ledger;
    uint32_t gateways_set;     /* 0: counted in Redis */
    atomic_uint gateways_seen; /* at least 1 */
    atomic_uint away;          /* loops that cannot ask Redis */
    char instance[64];         /* the name of this gateway in Redis */
};

struct limiter;

/* `first`: of the process: it hands back leases and counts the gateways. `redis` stays
 * the caller's, and is closed first. Errors: SH_NOMEM. */
SH_CHECK enum sh_err limiter_create(uv_loop_t *loop, struct sh_redis *redis,
                                    struct limiter_shared *shared, bool first,
                                    struct limiter **out);
/* When nothing waits any more. Memory goes on a later turn. NULL is fine. */
void limiter_close(struct limiter **self);

/* Embedded in the caller's own struct, which must live until it is decided. */
struct limiter_ask {
    struct ledger_bucket buckets[LIMITER_BUCKETS];
    size_t count;
    void (*done)(struct limiter_ask *ask);
    /* the decision */
    bool admitted;
    struct ledger_result results[LIMITER_BUCKETS]; /* of each bucket */
    /* its own */
    struct limiter *limiter;
    uint32_t gateways; /* that share, when this was asked; 0: Redis was there */
    bool whole;        /* the script was sent, not its digest */
};

/* True: decided at once, and `done` is not called. False: it will be, never from inside.
 */
SH_CHECK bool limiter_take(struct limiter *self, struct limiter_ask *ask);
/* How many share the limits while Redis is away. Any thread. */
uint32_t limiter_gateways(const struct limiter_shared *shared);

#endif
