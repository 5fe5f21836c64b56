#include "services/gateway/limits/limiter_internal.h"

#include "services/gateway/limits/script.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

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

static struct sh_family gateways_family = {
    .kind = SH_GAUGE,
    .name = "cairn_gateway_ratelimit_gateways",
    .help = "Gateways that the limits are shared by while Redis is away"};

uint32_t limiter_gateways(const struct limiter_shared *shared)
{
    return shared->gateways_set > 0 ? shared->gateways_set
                                    : atomic_load(&shared->gateways_seen);
}

/* --- Redis comes and goes --------------------------------------------------------- */

void limiter_show_mode(const struct limiter_shared *shared)
{
    bool away = atomic_load(&shared->away) > 0;

    sh_series_set(sh_series(&mode_family, (const char *[]){"redis"}), away ? 0 : 1);
    sh_series_set(sh_series(&mode_family, (const char *[]){"local"}), away ? 1 : 0);
    sh_series_set(sh_series(&gateways_family, NULL), limiter_gateways(shared));
}

void limiter_set_away(struct limiter *self, bool away)
{
    struct limiter_shared *shared = self->shared;

    if (away == self->away)
        return;
    self->away = away;
    if (!away)
        ledger_doubt(shared->ledger);
    if (away && atomic_fetch_add(&shared->away, 1) == 0)
        sh_warning(NULL,
                   "limits: Redis cannot be asked: each of %u gateways gives its share",
                   limiter_gateways(shared));
    else if (!away && atomic_fetch_sub(&shared->away, 1) == 1)
        sh_info(NULL, "limits: counted in Redis");
    limiter_show_mode(shared);
}

/* Redis is not there. Unless it never was, others have spent without it, too: it is not
 * believed before all have told it. */
static void note_absence(struct limiter *self)
{
    limiter_set_away(self, true);
    self->settling = self->connects != 0;
    self->settled_us = 0;
}

uint32_t limiter_sharing(struct limiter *self)
{
    bool connected = sh_redis_connected(self->redis);
    uint64_t connects = sh_redis_connects(self->redis);

    if (!connected || (self->connects != 0 && connects != self->connects))
        note_absence(self);
    if (connected)
        self->connects = connects;
    return !connected || self->settling ? limiter_gateways(self->shared) : 0;
}

/* --- deciding --------------------------------------------------------------------- */

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
    limiter_set_away(self, true);
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

/* --- asking ----------------------------------------------------------------------- */

static enum sh_err ask_redis(struct limiter *self, struct limiter_ask *ask);

/* A Redis that does not know the script may have been started anew, and know nothing. */
static enum sh_err ask_again(struct limiter *self, struct limiter_ask *ask)
{
    ask->whole = true;
    ledger_doubt(self->shared->ledger);
    for (size_t i = 0; i < ask->count; i++)
        if (ask->results[i].outcome == LEDGER_ASK)
            ledger_remind(self->shared->ledger, &ask->buckets[i], sh_now_us(),
                          &ask->results[i]);
    return ask_redis(self, ask);
}

static void on_reply(void *arg, enum sh_err err, const redisReply *reply)
{
    struct limiter_ask *ask = arg;
    struct limiter *self = ask->limiter;
    struct script_grant grants[LIMITER_BUCKETS];
    size_t asked = 0;

    for (size_t i = 0; i < ask->count; i++)
        asked += ask->results[i].outcome == LEDGER_ASK;
    if (err == SH_OK && !ask->whole && script_is_unknown(reply) &&
        ask_again(self, ask) == SH_OK)
        return;
    if (err == SH_OK && script_read(reply, asked, grants)) {
        self->refused = false;
        limiter_set_away(self, false);
        decide_as_told(self, ask, grants);
    } else {
        self->refused = err == SH_OK;
        if (err != SH_OK)
            note_absence(self);
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
            items[asked++] =
                (struct script_item){&ask->buckets[i], ask->results[i].want,
                                     ask->results[i].owed_us, ask->results[i].least_us};
    script_write(&call, items, asked, ask->whole);
    return sh_redis_command(self->redis, call.count, call.words, on_reply, ask);
}

bool limiter_take(struct limiter *self, struct limiter_ask *ask)
{
    uint64_t now_us = sh_now_us();

    ask->limiter = self;
    ask->whole = false;
    ask->gateways = limiter_sharing(self);
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

/* --- life ------------------------------------------------------------------------- */

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
        err = sh_err_from_uv(uv_timer_start(&self->timer, limiter_on_tick,
                                            LIMITER_TICK_MS, LIMITER_TICK_MS));
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
