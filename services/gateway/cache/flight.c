#include "services/gateway/cache/flight_internal.h"

#include "shared/clock.h"

enum {
    AVOID_MS = 1000, /* Redis is left alone after it was waited for in vain */
    TICK_MS = 10,    /* while Redis is asked */
    LOOK_MS = 250,   /* at the epoch */
};

/* --- asking Redis ----------------------------------------------------------------- */

static void on_got(void *arg, struct sh_bytes bytes)
{
    struct flight *flight = arg;
    struct flights *self = flight->of;

    flight->get = NULL;
    self->asking--;
    if (bytes.len == 0) {
        flight_ask_search(flight);
        return;
    }
    if (atomic_load(&self->cache->clears) == flight->clears)
        shelf_put(self->cache->shelf, &flight->key, bytes);
    flight_answer(flight, bytes, true);
}

static struct flight *overdue(struct flights *self, uint64_t now_ms)
{
    for (size_t i = 0; i < FLIGHT_BUCKETS; i++)
        for (struct flight *flight = self->buckets[i]; flight; flight = flight->next)
            if (flight->get != NULL &&
                now_ms - flight->started_ms > self->cache->redis_ms)
                return flight;
    return NULL;
}

static void on_tick(uv_timer_t *timer)
{
    struct flights *self = timer->data;
    struct flight *flight;

    while (self->asking > 0 && (flight = overdue(self, sh_now_ms())) != NULL) {
        self->avoid_ms = sh_now_ms() + AVOID_MS;
        flight_forget_redis(flight);
        flight_ask_search(flight);
    }
    if (self->asking == 0)
        uv_timer_stop(timer);
}

static bool ask_redis(struct flight *flight)
{
    struct flights *self = flight->of;

    if (flight->started_ms < self->avoid_ms ||
        remote_get(self->cache, self->edge->redis, &flight->key, on_got, flight,
                   &flight->get) != SH_OK)
        return false;
    self->asking++;
    if (!uv_is_active((uv_handle_t *)&self->tick))
        (void)uv_timer_start(&self->tick, on_tick, TICK_MS, TICK_MS); /* not closing */
    return true;
}

/* --- the beginning ---------------------------------------------------------------- */

static bool give_kept(struct flights *self, struct exchange *x,
                      const struct kept_key *key)
{
    struct shelf_item *item = shelf_get(self->cache->shelf, key, cache_now_ms());

    if (item == NULL)
        return false;
    struct kept kept = kept_parts(shelf_item_bytes(item));
    cache_count(CACHE_HIT, true);
    search_answer_parts(x, &kept, true);
    shelf_release(item);
    return true;
}

/* Who joins late would wait for less than the time that is promised. */
static struct flight *under_way(struct flights *self, const struct kept_key *key)
{
    uint64_t timeout_ms = self->edge->gateway->config.read_timeout_ms;
    struct flight *flight = *flight_bucket(self, key);

    while (flight != NULL && !kept_key_equal(key, flight->key.bytes))
        flight = flight->next;
    if (flight == NULL || sh_now_ms() - flight->started_ms > timeout_ms / 4)
        return NULL;
    return flight;
}

static struct flight *take_off(struct flights *self, const struct kept_key *key)
{
    struct flight *flight = sh_alloc(sizeof *flight + key->bytes.len);

    if (flight == NULL)
        return NULL;
    char *bytes = (char *)(flight + 1);
    memcpy(bytes, key->bytes.data, key->bytes.len);
    flight->of = self;
    flight->key = *key;
    flight->key.bytes.data = bytes;
    flight->key.question.data = bytes + (key->bytes.len - key->question.len);
    flight->started_ms = sh_now_ms();
    flight->clears = atomic_load(&self->cache->clears);
    struct flight **bucket = flight_bucket(self, key);
    flight->next = *bucket; /* before one that is too old to be joined */
    *bucket = flight;
    return flight;
}

/* False: neither is it kept, nor can it be searched for with others. */
static bool go(struct flights *self, struct exchange *x, struct flight_seat *seat,
               const struct kept_key *key)
{
    if (give_kept(self, x, key))
        return true;
    struct flight *flight = under_way(self, key);
    if (flight != NULL) {
        cache_count(CACHE_SHARED, true);
        flight_sit_down(flight, seat, x);
        return true;
    }
    flight = take_off(self, key);
    if (flight == NULL)
        return false;
    flight_sit_down(flight, seat, x);
    if (!ask_redis(flight))
        flight_ask_search(flight);
    return true;
}

bool flight_search(struct exchange *x, struct flight_seat *seat,
                   const struct search_query *query, struct sh_bytes *question)
{
    struct flights *self = x->edge->flights;
    const struct caller *caller = exchange_caller(x);
    struct kept_key key;
    uint64_t generation = 0;

    *question = (struct sh_bytes){0};
    if (self == NULL || caller == NULL) /* whose rights are not known shares nothing */
        return false;
    if (self->cache->ttl_s > 0)
        generation = sh_rpc_client_state(x->edge->peers[PEER_SEARCH]);
    if (kept_key_make(generation, caller, query, &self->key, &key) != SH_OK)
        return false;
    *question = key.question;
    /* Why an answer is as it is is asked of this very moment. */
    if (generation != 0 && !query->explain && key.bytes.len <= KEPT_KEY_MAX &&
        go(self, x, seat, &key))
        return true;
    cache_count(CACHE_BYPASS, true);
    return false;
}

/* --- life ------------------------------------------------------------------------- */

static void on_look(uv_timer_t *timer)
{
    struct flights *self = timer->data;

    remote_look(self->cache, self->edge->redis);
}

enum sh_err flights_open(struct edge *edge, struct cache *cache, bool first,
                         struct flights **out)
{
    struct flights *self = sh_alloc(sizeof *self);

    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    self->edge = edge;
    self->cache = cache;
    (void)uv_timer_init(edge->loop, &self->tick); /* cannot fail */
    (void)uv_timer_init(edge->loop, &self->look);
    self->tick.data = self->look.data = self;
    self->timers = 2;
    if (first && cache->ttl_s > 0)
        (void)uv_timer_start(&self->look, on_look, 1, LOOK_MS);
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct flights *self = handle->data;

    if (--self->timers > 0)
        return;
    sh_buffer_free(&self->key);
    sh_buffer_free(&self->answer);
    sh_free(self);
}

void flights_close(struct flights **self_in)
{
    struct flights *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    uv_close((uv_handle_t *)&self->tick, on_closed);
    uv_close((uv_handle_t *)&self->look, on_closed);
}
