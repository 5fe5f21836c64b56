#include "services/gateway/cache/flight_internal.h"

#include "shared/clock.h"
#include "shared/log.h"

enum { KEPT_BUFFER = 1 << 20 };

/* --- who waits -------------------------------------------------------------------- */

struct flight **flight_bucket(struct flights *self, const struct kept_key *key)
{
    return &self->buckets[key->hash[0] % FLIGHT_BUCKETS];
}

void flight_unlist(struct flight *flight)
{
    struct flight **at = flight_bucket(flight->of, &flight->key);

    while (*at != NULL && *at != flight)
        at = &(*at)->next;
    if (*at == flight)
        *at = flight->next;
}

void flight_forget_redis(struct flight *flight)
{
    if (flight->get == NULL)
        return;
    remote_forget(flight->get);
    flight->get = NULL;
    flight->of->asking--;
}

static void end(struct flight *flight)
{
    flight_forget_redis(flight);
    if (flight->calling)
        sh_rpc_cancel(flight->of->edge->peers[PEER_SEARCH], flight->call);
    flight_unlist(flight);
    sh_free(flight);
}

static void stand_up(struct flight_seat *seat)
{
    struct flight *flight = seat->flight;

    if (flight == NULL)
        return;
    *(seat->prev != NULL ? &seat->prev->next : &flight->first) = seat->next;
    *(seat->next != NULL ? &seat->next->prev : &flight->last) = seat->prev;
    seat->flight = NULL;
    seat->x->abandoned = NULL;
}

/* A client left. */
static void on_abandoned(struct exchange *x)
{
    struct flight_seat *seat = &((struct search_state *)x->state)->seat;
    struct flight *flight = seat->flight;

    stand_up(seat);
    if (flight->first == NULL)
        end(flight);
}

void flight_sit_down(struct flight *flight, struct flight_seat *seat, struct exchange *x)
{
    *seat = (struct flight_seat){.x = x, .flight = flight, .prev = flight->last};
    *(flight->last != NULL ? &flight->last->next : &flight->first) = seat;
    flight->last = seat;
    x->abandoned = on_abandoned;
}

/* The next to be answered, who then waits no more. */
static struct exchange *call_up(struct flight *flight)
{
    struct flight_seat *seat = flight->first;

    if (seat == NULL)
        return NULL;
    stand_up(seat);
    return seat->x;
}

/* --- the end ---------------------------------------------------------------------- */

/* Nobody joins any more, and answering may bring new ones: they start anew. */
void flight_answer(struct flight *flight, struct sh_bytes bytes, bool from_cache)
{
    struct kept kept = kept_parts(bytes);
    struct exchange *x;

    flight_unlist(flight);
    while ((x = call_up(flight)) != NULL) {
        cache_count(from_cache ? CACHE_HIT : CACHE_MISS, true);
        search_answer_parts(x, &kept, from_cache);
    }
    end(flight);
}

static void fail_all(struct flight *flight, const struct sh_rpc_response *reply)
{
    struct exchange *x;

    flight_unlist(flight);
    while ((x = call_up(flight)) != NULL)
        exchange_fail_call(x, PEER_SEARCH, reply);
    end(flight);
}

static void fail_with(struct flight *flight, enum sh_err err)
{
    const struct sh_rpc_response failed = {.err = err, .retry_after_ms = 1000};

    fail_all(flight, &failed);
}

/* --- asking search ---------------------------------------------------------------- */

static bool is_worth_keeping(const struct flight *flight,
                             const struct search_results *results, size_t bytes)
{
    return results->generation != 0 && results->degraded_count == 0 &&
           bytes <= KEPT_BYTES_MAX &&
           atomic_load(&flight->of->cache->clears) == flight->clears;
}

/* Under the state that it was found in, which may be a later one than was asked in. */
static void keep(struct flight *flight)
{
    struct flights *self = flight->of;
    struct sh_bytes bytes = sh_buffer_bytes(&self->answer);
    struct kept_key *key = &flight->key;

    shelf_put(self->cache->shelf, key, bytes);
    if (sh_now_ms() >= self->avoid_ms)
        remote_put(self->cache, self->edge->redis, key, bytes);
}

static void write_answer(struct flight *flight, const struct search_results *results)
{
    struct flights *self = flight->of;
    const struct search_state *state = flight->first->x->state;
    uint64_t expires_ms = cache_now_ms() + (uint64_t)self->cache->ttl_s * 1000;

    kept_begin(&self->answer, flight->key.bytes);
    search_write_head(&self->answer, results, state);
    size_t middle = kept_middle(&self->answer);
    search_write_tail(&self->answer, results, state);
    kept_end(&self->answer, middle, flight->key.bytes.len, (uint32_t)results->hits_count,
             expires_ms);
}

static void on_results(struct flight *flight, const struct search_results *results)
{
    struct sh_buffer *answer = &flight->of->answer;

    flight_unlist(flight); /* its key changes */
    if (results->generation != 0)
        kept_key_restate(flight + 1, results->generation, &flight->key);
    write_answer(flight, results);
    if (answer->err != SH_OK) {
        fail_with(flight, answer->err);
        return;
    }
    if (is_worth_keeping(flight, results, answer->len))
        keep(flight);
    flight_answer(flight, sh_buffer_bytes(answer), false);
    if (answer->capacity > KEPT_BUFFER)
        sh_buffer_free(answer);
}

static void on_reply(void *arg, const struct sh_rpc_response *reply)
{
    struct flight *flight = arg;
    struct sh_arena arena = {0};
    struct search_results results;

    flight->calling = false;
    if (reply->err != SH_OK) {
        fail_all(flight, reply);
        return;
    }
    enum sh_err err = msg_decode(search_results_desc(), reply->payload, &arena, &results);
    if (err == SH_OK) {
        on_results(flight, &results);
    } else {
        sh_error(sh_http_trace(flight->first->x->request),
                 "search answered with what is no search_results: %s", sh_err_text(err));
        fail_with(flight, err == SH_NOMEM ? SH_NOMEM : SH_UPSTREAM);
    }
    sh_arena_free(&arena);
}

/* In the name of the first who waits. */
void flight_ask_search(struct flight *flight)
{
    struct edge *edge = flight->of->edge;
    struct exchange *x = flight->first->x;
    const struct sh_rpc_request request = {
        .method = METHOD_SEARCH_QUERY,
        .kind = SH_RPC_READ,
        .caller = exchange_caller(x),
        .payload = flight->key.question,
        .deadline_ms = flight->started_ms + edge->gateway->config.read_timeout_ms,
        .trace = sh_http_trace(x->request),
    };
    enum sh_err err =
        sh_rpc_send(edge->peers[PEER_SEARCH], &request, on_reply, flight, &flight->call);

    flight->calling = err == SH_OK;
    if (err != SH_OK)
        fail_with(flight, err);
}
