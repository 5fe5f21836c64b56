/* What a limiter does now and then: it tells Redis what that must know. */
#include <stdio.h>

#include "services/gateway/limits/limiter_internal.h"
#include "services/gateway/limits/script.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    SETTLE_US = 2000000,
    TELL_MOST = 256,          /* calls of a tick */
    COUNT_EVERY_US = 5000000, /* the gateways */
    GONE_AFTER_S = 15,
};

/* --- now and then ----------------------------------------------------------------- */

/* If that fails, tokens are lost, as they are when a gateway dies; or a bucket gets back
 * what was spent without Redis. */
static void tell(struct limiter *self, const struct ledger_return *returns, size_t count)
{
    struct ledger_bucket buckets[SCRIPT_BUCKETS];
    struct script_item items[SCRIPT_BUCKETS];
    struct script_call call;

    for (size_t i = 0; i < count; i++) {
        buckets[i] =
            (struct ledger_bucket){{returns[i].key, returns[i].key_len}, returns[i].rule};
        items[i] =
            (struct script_item){&buckets[i], 0, returns[i].owed_us, returns[i].least_us};
    }
    script_write(&call, items, count, true); /* rare: it may be new to this Redis */
    enum sh_err err = sh_redis_command(self->redis, call.count, call.words, NULL, NULL);
    if (err != SH_OK)
        sh_debug(NULL, "limits: Redis was not told of %zu buckets: %s", count,
                 sh_err_text(err));
}

static void tell_all(struct limiter *self,
                     size_t (*collect)(struct ledger *, uint64_t, struct ledger_return *,
                                       size_t))
{
    struct ledger_return returns[SCRIPT_BUCKETS];
    size_t count = SCRIPT_BUCKETS;

    for (size_t i = 0; i < TELL_MOST && count == SCRIPT_BUCKETS; i++) {
        count = collect(self->shared->ledger, sh_now_us(), returns, SCRIPT_BUCKETS);
        if (count > 0)
            tell(self, returns, count);
    }
}

static void on_gateways(void *arg, enum sh_err err, const redisReply *reply)
{
    struct limiter *self = arg;

    if (err != SH_OK || self->closing || reply->type != REDIS_REPLY_INTEGER ||
        reply->integer < 1 || reply->integer > 10000)
        return;
    atomic_store(&self->shared->gateways_seen, (unsigned)reply->integer);
    limiter_show_mode(self->shared);
}

/* Every gateway writes down that it is there; those that have not lately are gone. */
static void count_gateways(struct limiter *self)
{
    static const char script[] =
        "local now = tonumber(redis.call('TIME')[1])\n"
        "redis.call('ZADD', KEYS[1], now, ARGV[1])\n"
        "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])\n"
        "redis.call('EXPIRE', KEYS[1], ARGV[2])\n"
        "return redis.call('ZCARD', KEYS[1])\n";
    char gone[16];
    struct sh_bytes words[] = {
        sh_bytes_of("EVAL"),
        sh_bytes_of(script),
        sh_bytes_of("1"),
        sh_bytes_of("cairn:limit:gateways"),
        sh_bytes_of(self->shared->instance),
        {gone, (size_t)snprintf(gone, sizeof gone, "%d", GONE_AFTER_S)},
    };

    if (sh_redis_command(self->redis, SH_COUNT(words), words, on_gateways, self) == SH_OK)
        self->counted_us = sh_now_us();
}

/* Redis is there again. For a while everybody goes on from their shares: all tell it what
 * they knew of each bucket first, and what they spent since after half of it, so that the
 * one is not hidden by the other. */
static void settle(struct limiter *self)
{
    uint64_t now_us = sh_now_us();

    if (self->settled_us == 0) {
        self->settled_us = now_us + SETTLE_US;
        if (self->first)
            ledger_doubt(self->shared->ledger);
    }
    if (self->first)
        tell_all(self, ledger_collect_known);
    if (self->first && now_us + SETTLE_US / 2 >= self->settled_us)
        tell_all(self, ledger_collect_owed);
    if (now_us < self->settled_us)
        return;
    self->settling = false;
    limiter_set_away(self, false);
}

void limiter_on_tick(uv_timer_t *timer)
{
    struct limiter *self = timer->data;
    bool connected = sh_redis_connected(self->redis);

    (void)limiter_sharing(self); /* notices what has changed */
    if (connected && self->settling)
        settle(self);
    else if (connected && self->away && !self->refused)
        limiter_set_away(self, false);
    if (!self->ticked)
        limiter_show_mode(self->shared);
    self->ticked = true;
    if (!connected || !self->first)
        return;
    tell_all(self, ledger_collect);
    if (self->counted_us == 0 || sh_now_us() - self->counted_us >= COUNT_EVERY_US)
        count_gateways(self);
}
