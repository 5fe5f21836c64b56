/* limiter_internal: the inside of a limiter, for its own files: limiter.c decides,
 * limiter_tick.c tells Redis now and then. */
#ifndef GATEWAY_LIMITS_LIMITER_INTERNAL_H
#define GATEWAY_LIMITS_LIMITER_INTERNAL_H

#include "services/gateway/limits/limiter.h"

enum { LIMITER_TICK_MS = 250 };

struct limiter {
    struct sh_redis *redis;
    struct limiter_shared *shared;
    uv_timer_t timer;
    uint64_t counted_us;
    bool first;
    bool away;
    bool refused; /* Redis is there, but would not run the script */
    bool ticked;
    bool settling;       /* it is back, but others may still have to tell it */
    uint64_t connects;   /* to Redis, when it was last there; 0: never */
    uint64_t settled_us; /* until then; 0: not decided yet */
    bool closing;
};

void limiter_show_mode(const struct limiter_shared *shared);
void limiter_set_away(struct limiter *self, bool away);
/* How many share the limits, or 0 when Redis can be asked; notices what has changed. */
uint32_t limiter_sharing(struct limiter *self);
void limiter_on_tick(uv_timer_t *timer);

#endif
