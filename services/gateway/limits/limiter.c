#include "services/gateway/limits/limiter.h"

#include <stdio.h>

#include "services/gateway/limits/script.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum {
    TICK_MS = 250,
    COUNT_EVERY_US = 5000000, /* the gateways */
    GONE_AFTER_S = 15,
};

struct limiter {
    struct sh_redis *redis;
    struct limiter_shared *shared;
    uv_timer_t timer;
    uint64_t counted_us;
    bool first;
    bool away;
    bool refused; /* Redis is there, but would not run the script */
    bool ticked;
    bool closing;
};

enum by { BY_REDIS, BY_LEASE, BY_SHARE, BY_COUNT };

static struct sh_family mode_family = {
    .kind = SH_GAUGE,
    .name = "ratelimit_mode",
    .help = "1 for where the limits are counted: redis, for all gateways together, or "
            "local, this gateway's share, as long as some loop cannot ask Redis",
    .labels = {"mode"}};
static struct sh_family asked_family = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_ratelimit_decisions_total",
    .help = "Decisions about requests, by who made them: redis, lease (tokens taken from "
            "Redis before), local (Redis away)",
    .labels = {"by", "outcome"}};

uint32_t limiter_gateways(const struct limiter_shared *shared)
{
    return shared->gateways_set > 0 ? shared->gateways_set
                                    : atomic_load(&shared->gateways_seen);
}

/* --- Redis comes and goes ----------------------------------------------------------- */

static void show_mode(const struct limiter_shared *shared)
{
    bool away = atomic_load(&shared->away) > 0;

    sh_series_set(sh_series(&mode_family, (const char *[]){"redis"}), away ? 0 : 1);
    sh_series_set(sh_series(&mode_family, (const char *[]){"local"}), away ? 1 : 0);
}

static void set_away(struct limiter *self, bool away)
{
    struct limiter_shared *shared = self->shared;

    if (away == self->away)
        return;
    self->away = away;
    if (away && atomic_fetch_add(&shared->away, 1) == 0)
        sh_warning(NULL,
                   "limits: Redis cannot be asked: each of %u gateways gives its share",
                   limiter_gateways(shared));
    else if (!away && atomic_fetch_sub(&shared->away, 1) == 1)
        sh_info(NULL, "limits: counted in Redis");
    show_mode(shared);
}

static uint32_t sharing(struct limiter *self)
{
    bool away = !sh_redis_connected(self->redis);

    if (away)
        set_away(self, true);
    return away ? limiter_gateways(self->shared) : 0;
}

/* --- deciding ----------------------------------------------------------------------- */

static void count(const struct limiter_ask *ask, enum by by)
{
    static const char *const names[BY_COUNT] = {"redis", "lease", "local"};
    static _Thread_local struct sh_series *kept[BY_COUNT][2];
    struct sh_series **series = &kept[by][ask->admitted];

    if (*series == NULL)
        *series = sh_series(
            &asked_family,
            (const char *[]){names[by], ask->admitted ? "admitted" : "refused"});
    sh_series_add(*series, 1);
}

static bool any(const struct limiter_ask *ask, enum ledger_outcome outcome)
{
    for (size_t i = 0; i < ask->count; i++)
        if (ask->results[i].outcome == outcome)
            return true;
    return false;
}

/* Refused: what other buckets gave goes back to them. */
static void give_back(const struct limiter *self, const struct limiter_ask *ask)
{
    for (size_t i = 0; i < ask->count; i++)
        ledger_unspend(self->shared->ledger, &ask->buckets[i], ask->gateways,
                       &ask->results[i]);
}

/* What Redis was to be asked stays owed. */
static void not_asked(const struct limiter *self, struct limiter_ask *ask)
{
    for (size_t i = 0; i < ask->count; i++)
        if (ask->results[i].outcome == LEDGER_ASK)
            ledger_unasked(self->shared->ledger, &ask->buckets[i], &ask->results[i],
                           sh_now_us());
}

/* The buckets that Redis has not answered for, from this gateway's share. */
static void decide_locally(struct limiter *self, struct limiter_ask *ask)
{
    set_away(self, true);
    not_asked(self, ask);
    ask->gateways = limiter_gateways(self->shared);
    for (size_t i = 0; i < ask->count; i++)
        if (ask->results[i].outcome == LEDGER_ASK)
            ledger_spend(self->shared->ledger, &ask->buckets[i], ask->gateways,
                         sh_now_us(), &ask->results[i]);
    ask->admitted = !any(ask, LEDGER_EMPTY);
    if (!ask->admitted)
        give_back(self, ask);
    count(ask, BY_SHARE);
}

static void decide_as_told(const struct limiter *self, struct limiter_ask *ask,
                           const struct script_grant *grants)
{
    size_t at = 0;

    ask->admitted = true;
    for (size_t i = 0; i < ask->count; i++) {
        struct ledger_result *result = &ask->results[i];
        if (result->outcome != LEDGER_ASK)
            continue;
        const struct script_grant *grant = &grants[at++];
        result->state = grant->state;
        if (grant->granted == 0)
            ask->admitted = false;
        else
            result->state.remaining += grant->granted - 1;
        /* Of those that had tokens when another had none, nothing was taken. */
        if (grant->granted > 0 || grant->state.remaining == 0)
            ledger_learn(self->shared->ledger, &ask->buckets[i], result, grant->granted,
                         &grant->state, sh_now_us());
    }
    count(ask, BY_REDIS);
    if (!ask->admitted)
        give_back(self, ask);
}

/* --- asking ------------------------------------------------------------------------- */

static enum sh_err ask_redis(struct limiter *self, struct limiter_ask *ask);

static void on_reply(void *arg, enum sh_err err, const redisReply *reply)
{
    struct limiter_ask *ask = arg;
    struct limiter *self = ask->limiter;
    struct script_grant grants[LIMITER_BUCKETS];
    size_t asked = 0;

    for (size_t i = 0; i < ask->count; i++)
        asked += ask->results[i].outcome == LEDGER_ASK;
    if (err == SH_OK && !ask->whole && script_is_unknown(reply)) {
        ask->whole = true;
        if (ask_redis(self, ask) == SH_OK)
            return;
    }
    if (err == SH_OK && script_read(reply, asked, grants)) {
        self->refused = false;
        set_away(self, false);
        decide_as_told(self, ask, grants);
    } else {
        self->refused = err == SH_OK;
        decide_locally(self, ask);
    }
    ask->done(ask);
}

static enum sh_err ask_redis(struct limiter *self, struct limiter_ask *ask)
{
    struct script_item items[LIMITER_BUCKETS];
    struct script_call call;
    size_t asked = 0;

    for (size_t i = 0; i < ask->count; i++)
        if (ask->results[i].outcome == LEDGER_ASK)
            items[asked++] = (struct script_item){&ask->buckets[i], ask->results[i].want,
                                                  ask->results[i].owed_us};
    script_write(&call, items, asked, ask->whole);
    return sh_redis_command(self->redis, call.count, call.words, on_reply, ask);
}

bool limiter_take(struct limiter *self, struct limiter_ask *ask)
{
    uint64_t now_us = sh_now_us();

    ask->limiter = self;
    ask->whole = false;
    ask->gateways = sharing(self);
    for (size_t i = 0; i < ask->count; i++)
        ledger_spend(self->shared->ledger, &ask->buckets[i], ask->gateways, now_us,
                     &ask->results[i]);
    bool empty = any(ask, LEDGER_EMPTY);
    bool wait = !empty && any(ask, LEDGER_ASK);
    if (wait && ask_redis(self, ask) == SH_OK)
        return false;
    if (wait) {
        decide_locally(self, ask);
        return true;
    }
    ask->admitted = !empty;
    if (empty) {
        not_asked(self, ask);
        give_back(self, ask);
    }
    count(ask, ask->gateways > 0 ? BY_SHARE : BY_LEASE);
    return true;
}

/* --- now and then ------------------------------------------------------------------- */

static void hand_back(struct limiter *self)
{
    struct ledger_return returns[SCRIPT_BUCKETS];
    struct ledger_bucket buckets[SCRIPT_BUCKETS];
    struct script_item items[SCRIPT_BUCKETS];
    struct script_call call;

    size_t n = ledger_collect(self->shared->ledger, sh_now_us(), returns, SCRIPT_BUCKETS);
    for (size_t i = 0; i < n; i++) {
        buckets[i] =
            (struct ledger_bucket){{returns[i].key, returns[i].key_len}, returns[i].rule};
        items[i] = (struct script_item){
            &buckets[i], 0, -(int64_t)(returns[i].tokens * returns[i].rule.interval_us)};
    }
    if (n == 0)
        return;
    script_write(&call, items, n, false);
    enum sh_err err = sh_redis_command(self->redis, call.count, call.words, NULL, NULL);
    if (err != SH_OK) /* the tokens are lost, as they are when a gateway dies */
        sh_debug(NULL, "limits: %zu leases were not handed back: %s", n,
                 sh_err_text(err));
}

static void on_gateways(void *arg, enum sh_err err, const redisReply *reply)
{
    struct limiter *self = arg;

    if (err != SH_OK || self->closing || reply->type != REDIS_REPLY_INTEGER ||
        reply->integer < 1 || reply->integer > 10000)
        return;
    atomic_store(&self->shared->gateways_seen, (unsigned)reply->integer);
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

static void on_tick(uv_timer_t *timer)
{
    struct limiter *self = timer->data;
    bool connected = sh_redis_connected(self->redis);

    if (!connected)
        set_away(self, true);
    else if (self->away && !self->refused)
        set_away(self, false);
    if (!self->ticked)
        show_mode(self->shared);
    self->ticked = true;
    if (!connected || !self->first)
        return;
    hand_back(self);
    if (self->counted_us == 0 || sh_now_us() - self->counted_us >= COUNT_EVERY_US)
        count_gateways(self);
}

/* --- life --------------------------------------------------------------------------- */

enum sh_err limiter_create(uv_loop_t *loop, struct sh_redis *redis,
                           struct limiter_shared *shared, bool first,
                           struct limiter **out)
{
    struct limiter *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    self->redis = redis;
    self->shared = shared;
    self->first = first;
    enum sh_err err = sh_err_from_uv(uv_timer_init(loop, &self->timer));
    if (err == SH_OK)
        err = sh_err_from_uv(uv_timer_start(&self->timer, on_tick, TICK_MS, TICK_MS));
    if (err != SH_OK) { /* neither can fail in libuv */
        sh_free(self);
        return err;
    }
    self->timer.data = self;
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void limiter_close(struct limiter **self_p)
{
    struct limiter *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    self->closing = true;
    if (self->away)
        atomic_fetch_sub(&self->shared->away, 1);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
