#include "shared/rpc_client.h"

#include "libshared/src/rpc_calling.h"
#include "libshared/src/rpc_curve.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    TICK_MS = 5,
    START_GRACE_MS = 1000,
    HEALTH_MS = 250,
    SLOTS_FIRST = 64,
    SLOTS_MAX = 65536
};

/* --- the table of requests -------------------------------------------------------- */

struct rpc_request *rpc_client_find(const struct sh_rpc_client *client, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    if (slot >= client->slot_count)
        return NULL;
    struct rpc_request *request = client->slots[slot];
    return request->phase != RPC_FREE && request->generation == id >> 32 ? request : NULL;
}

void rpc_client_wake_at(struct sh_rpc_client *client, const struct rpc_request *request,
                        uint64_t wake_ms)
{
    client->wakes[request->slot] = wake_ms;
}

static enum sh_err add_slot(struct sh_rpc_client *client)
{
    struct rpc_request *request = sh_alloc(sizeof(*request));
    if (!request)
        return SH_NOMEM;
    request->slot = (uint32_t)client->slot_count;
    client->slots[client->slot_count] = request;
    client->wakes[client->slot_count++] = UINT64_MAX;
    request->next = client->spare;
    client->spare = request;
    return SH_OK;
}

/* Requests never move; only the arrays of pointers and times do. */
static enum sh_err grow(struct sh_rpc_client *client)
{
    size_t wanted = client->slot_count ? 2 * client->slot_count : SLOTS_FIRST;
    if (wanted > SLOTS_MAX)
        return SH_BUSY;
    void *slots = sh_realloc(client->slots, wanted * sizeof(struct rpc_request *));
    if (!slots)
        return SH_NOMEM;
    client->slots = slots;
    void *wakes = sh_realloc(client->wakes, wanted * sizeof(uint64_t));
    if (!wakes)
        return SH_NOMEM;
    client->wakes = wakes;
    while (client->slot_count < wanted) {
        if (add_slot(client) != SH_OK)
            break; /* one is enough for now */
    }
    return client->spare ? SH_OK : SH_NOMEM;
}

void rpc_client_forget(struct sh_rpc_client *client, struct rpc_request *request)
{
    client->wakes[request->slot] = UINT64_MAX;
    zmq_msg_close(&request->meta);
    zmq_msg_close(&request->payload);
    client->budget.active--;
    client->budget.extra -= request->extra;
    request->phase = RPC_FREE;
    request->next = client->spare;
    client->spare = request;
}

/* --- sending ---------------------------------------------------------------------- */

static enum sh_err fill_message(zmq_msg_t *message, struct sh_bytes bytes)
{
    if (zmq_msg_init_size(message, bytes.len) != 0)
        return SH_NOMEM;
    if (bytes.len > 0)
        memcpy(zmq_msg_data(message), bytes.data, bytes.len);
    return SH_OK;
}

/* The request's id travels with the caller, for the log lines of the other side. */
static enum sh_err encode_caller(struct sh_rpc_client *client,
                                 const struct sh_rpc_request *wanted,
                                 const struct sh_trace *trace)
{
    struct caller caller = {0};
    if (wanted->caller)
        caller = *wanted->caller;
    if (caller.request_id.len == 0)
        caller.request_id = sh_bytes_of(trace->request_id);
    sh_buffer_clear(&client->scratch);
    return msg_encode(caller_desc(), &caller, &client->scratch);
}

static enum sh_err fill(struct sh_rpc_client *client, struct rpc_request *request,
                        const struct sh_rpc_request *wanted)
{
    if (wanted->trace)
        request->trace = sh_trace_child(wanted->trace);
    else
        sh_trace_start(&request->trace);
    enum sh_err err = encode_caller(client, wanted, &request->trace);
    if (err == SH_OK && client->scratch.len > ENVELOPE_META_MAX)
        err = SH_TOOBIG;
    if (err == SH_OK)
        err = fill_message(&request->meta, sh_buffer_bytes(&client->scratch));
    if (err != SH_OK)
        return err;
    err = fill_message(&request->payload, wanted->payload);
    if (err != SH_OK)
        zmq_msg_close(&request->meta);
    return err;
}

static enum sh_err take_slot(struct sh_rpc_client *client,
                             const struct sh_rpc_request *wanted,
                             struct rpc_request **out)
{
    enum sh_err err = client->spare ? SH_OK : grow(client);
    if (err != SH_OK)
        return err;
    struct rpc_request *request = client->spare;
    uint32_t generation = request->generation + 1;
    struct rpc_request *next = request->next;
    *request = (struct rpc_request){
        .slot = request->slot,
        .generation = generation ? generation : 1,
        .kind = wanted->kind,
        .only = wanted->replica,
        .waits = wanted->waits,
        .method = wanted->method,
        .has_key = wanted->idempotency_key != NULL,
        .deadline_ms = wanted->deadline_ms,
        .started_us = sh_now_us(),
        .next = next,
    };
    if (wanted->idempotency_key)
        memcpy(request->key, wanted->idempotency_key, sizeof(request->key));
    err = fill(client, request, wanted);
    if (err != SH_OK)
        return err; /* still the first of the spare ones */
    client->spare = next;
    client->budget.active++;
    *out = request;
    return SH_OK;
}

static enum sh_err admit(struct sh_rpc_client *client,
                         const struct sh_rpc_request *wanted)
{
    if (client->closing)
        return SH_CANCELED;
    if (wanted->payload.len > RPC_ASSEMBLY_BYTES_MAX)
        return SH_TOOBIG;
    if (rpc_client_starting(client))
        return SH_OK;
    if (client->ready == 0 || !rpc_breaker_allows(&client->breaker, sh_now_ms()))
        return SH_UNAVAILABLE;
    return rpc_client_full(client) ? SH_BUSY : SH_OK;
}

static void on_tick(uv_timer_t *timer);

static enum sh_err place(struct sh_rpc_client *client, struct rpc_request *request)
{
    if (rpc_request_dispatch(client, request))
        return SH_OK;
    if (rpc_client_full(client) || request->only != 0) {
        rpc_client_forget(client, request);
        return SH_BUSY;
    }
    rpc_request_enqueue(client, request);
    return SH_OK;
}

enum sh_err sh_rpc_send(struct sh_rpc_client *client, const struct sh_rpc_request *wanted,
                        sh_rpc_done_fn *done, void *arg, uint64_t *id)
{
    struct rpc_request *request = NULL;
    enum sh_err err = admit(client, wanted);
    if (err == SH_OK)
        err = take_slot(client, wanted, &request);
    if (err == SH_MALFORMED) /* a caller that is not UTF-8 */
        err = SH_INVALID;
    if (err == SH_OK) {
        request->done = done;
        request->arg = arg;
        err = place(client, request);
    }
    if (err != SH_OK) {
        rpc_request_count(client, err);
        return err;
    }
    if (id)
        *id = rpc_request_id(request);
    if (!uv_is_active((uv_handle_t *)&client->tick))
        uv_timer_start(&client->tick, on_tick, TICK_MS, TICK_MS);
    return SH_OK;
}

void sh_rpc_cancel(struct sh_rpc_client *client, uint64_t id)
{
    struct rpc_request *request = rpc_client_find(client, id);
    if (!request)
        return;
    if (request->phase == RPC_WAITING)
        rpc_request_dequeue(client, request);
    rpc_request_call_off(client, request);
    rpc_client_forget(client, request);
    rpc_request_pump(client);
}

/* --- time ------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct sh_rpc_client *client = timer->data;
    uint64_t now_ms = sh_now_ms();
    rpc_members_awake(client, now_ms);
    for (size_t i = 0; i < client->slot_count && !client->closing; i++) {
        if (client->wakes[i] <= now_ms)
            rpc_request_wake(client, client->slots[i], now_ms);
    }
    if (client->closing)
        return;
    rpc_request_pump(client);
    if (client->budget.active == 0 && !client->closing)
        uv_timer_stop(timer);
}

static void on_health(uv_timer_t *timer)
{
    rpc_members_tick(timer->data);
}

/* --- life ------------------------------------------------------------------------- */

static void release(struct sh_rpc_client *client)
{
    for (size_t i = 0; i < client->replica_count; i++)
        rpc_replica_free(client->replicas[i]);
    for (size_t i = 0; i < client->slot_count; i++)
        sh_free(client->slots[i]);
    sh_free(client->slots);
    sh_free(client->wakes);
    sh_buffer_free(&client->scratch);
    sh_free(client->service);
    sh_free(client);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sh_rpc_client *client = handle->data;
    if (--client->handles == 0)
        release(client);
}

static void start_timers(struct sh_rpc_client *client)
{
    uv_timer_init(client->uv, &client->tick);
    uv_timer_init(client->uv, &client->health);
    client->tick.data = client->health.data = client;
    client->handles = 2;
    uv_timer_start(&client->health, on_health, HEALTH_MS, HEALTH_MS);
}

enum sh_err sh_rpc_client_create(struct sh_zmq_loop *zmq,
                                 const struct sh_rpc_client_options *options,
                                 struct sh_rpc_client **out)
{
    if (!options->service || !options->endpoints)
        return SH_INVALID;
    if (rpc_curve_refuses(options->endpoints)) {
        sh_error(NULL, "without keys (RPC_KEY) %s must be on this machine, not at %s",
                 options->service, options->endpoints);
        return SH_INVALID;
    }
    struct sh_rpc_client *client = sh_alloc(sizeof(*client));
    if (!client)
        return SH_NOMEM;
    client->service = sh_strdup(options->service);
    if (!client->service) {
        sh_free(client);
        return SH_NOMEM;
    }
    client->zmq = zmq;
    client->uv = sh_zmq_loop_uv(zmq);
    client->random = rpc_random_seed();
    client->hedge_ms = RPC_NO_HEDGE;
    client->grace_until_ms = sh_now_ms() + START_GRACE_MS;
    client->events = (struct rpc_replica_events){
        .changed = rpc_members_changed,
        .lost = rpc_request_on_lost,
        .message = rpc_request_on_message,
        .arg = client,
    };
    start_timers(client);
    enum sh_err err = rpc_resolve_create(client->uv, options->endpoints,
                                         rpc_members_found, client, &client->resolve);
    if (err != SH_OK) {
        sh_rpc_client_close(&client);
        return err;
    }
    *out = client;
    return SH_OK;
}

static void cancel_all(struct sh_rpc_client *client)
{
    for (size_t i = 0; i < client->slot_count; i++) {
        struct rpc_request *request = client->slots[i];
        if (request->phase == RPC_WAITING)
            rpc_request_dequeue(client, request);
        if (request->phase != RPC_FREE)
            rpc_request_fail(client, request, SH_CANCELED);
    }
}

void sh_rpc_client_close(struct sh_rpc_client **client_p)
{
    struct sh_rpc_client *client = *client_p;
    if (!client)
        return;
    *client_p = NULL;
    client->closing = true;
    cancel_all(client);
    rpc_resolve_close(&client->resolve);
    rpc_members_close(client);
    uv_close((uv_handle_t *)&client->tick, on_handle_closed);
    uv_close((uv_handle_t *)&client->health, on_handle_closed);
}
