/* A replica for a request: the better of two, or a place in the queue until there is
 * room. */
#include "libshared/src/rpc_calling.h"
#include "shared/clock.h"

/* --- choosing --------------------------------------------------------------------- */

static bool avoided(const struct rpc_request *request, const struct rpc_replica *replica)
{
    if (request->only != 0 && request->only != replica->epoch)
        return true;
    for (size_t i = 0; i < RPC_AVOIDED_MAX; i++) {
        if (request->avoid[i] == replica->epoch)
            return true;
    }
    return false;
}

static void avoid(struct rpc_request *request, uint64_t epoch)
{
    memmove(&request->avoid[1], &request->avoid[0],
            sizeof(request->avoid) - sizeof(request->avoid[0]));
    request->avoid[0] = epoch;
}

/* A replica that fell behind is asked only while all that take work have: what was
 * deleted or withdrawn may still be in it. */
static bool too_old(const struct sh_rpc_client *client, const struct rpc_replica *replica)
{
    if (replica->depth != RPC_DEPTH_BEHIND)
        return false;
    for (size_t i = 0; i < client->replica_count; i++) {
        if (client->replicas[i]->state == RPC_READY &&
            client->replicas[i]->depth != RPC_DEPTH_BEHIND)
            return true;
    }
    return false;
}

/* Requests to one replica alone get there in any case. */
static bool is_for(const struct sh_rpc_client *client, const struct rpc_request *request,
                   const struct rpc_replica *replica)
{
    return !avoided(request, replica) &&
           (request->only != 0 || !too_old(client, replica));
}

static struct rpc_replica *choose(struct sh_rpc_client *client,
                                  const struct rpc_request *request, uint64_t now_ms)
{
    struct rpc_replica *candidates[RPC_REPLICAS_MAX];
    struct rpc_load loads[RPC_REPLICAS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < client->replica_count; i++) {
        struct rpc_replica *replica = client->replicas[i];
        if (!rpc_replica_has_room(replica) || !is_for(client, request, replica))
            continue;
        candidates[count] = replica;
        loads[count++] = rpc_replica_load(replica, now_ms);
    }
    if (count == 0)
        return NULL;
    return candidates[rpc_balance_choose(loads, count, &client->random)];
}

bool rpc_request_has_another(const struct sh_rpc_client *client,
                             const struct rpc_request *request)
{
    for (size_t i = 0; i < client->replica_count; i++) {
        if (client->replicas[i]->state == RPC_READY &&
            is_for(client, request, client->replicas[i]))
            return true;
    }
    return false;
}

static struct rpc_try *free_try(struct rpc_request *request)
{
    struct rpc_try *try = request->tries;
    while (try < request->tries + RPC_TRIES && try->replica)
        try++;
    bool none = try == request->tries + RPC_TRIES;
    return none ? NULL : try;
}

static uint64_t next_wake(const struct sh_rpc_client *client,
                          const struct rpc_request *request, uint64_t now_ms)
{
    if (request->kind != SH_RPC_READ || request->hedged || request->only != 0 ||
        client->replica_count < 2 || client->hedge_ms >= request->deadline_ms - now_ms)
        return request->deadline_ms;
    return now_ms + client->hedge_ms;
}

/* A full pipe or a connection that has just gone takes nothing: the next one then. */
static struct rpc_replica *send_to_one(struct sh_rpc_client *client,
                                       struct rpc_request *request, struct rpc_try *try,
                                       uint64_t now_ms)
{
    struct rpc_replica *replica = NULL;
    uint64_t tried[RPC_AVOIDED_MAX]; /* a replica that got nothing may be tried later */
    memcpy(tried, request->avoid, sizeof(tried));
    for (size_t i = 0; i < RPC_AVOIDED_MAX; i++) {
        replica = choose(client, request, now_ms);
        if (!replica)
            break;
        *try = (struct rpc_try){
            .replica = replica,
            .number = request->attempts,
            .sent_us = sh_now_us(),
        };
        if (rpc_pieces_send(request, try) == SH_OK)
            break;
        try->replica = NULL;
        avoid(request, replica->epoch);
        replica = NULL;
    }
    memcpy(request->avoid, tried, sizeof(tried));
    return replica;
}

bool rpc_request_dispatch(struct sh_rpc_client *client, struct rpc_request *request)
{
    uint64_t now_ms = sh_now_ms();
    struct rpc_try *try = free_try(request);
    if (!try || now_ms >= request->deadline_ms)
        return false;
    struct rpc_replica *replica = send_to_one(client, request, try, now_ms);
    if (!replica)
        return false;
    avoid(request, replica->epoch);
    request->attempts++;
    replica->outstanding++;
    rpc_pace_note(&client->pace, now_ms, 1, client->queued);
    request->phase = RPC_SENT;
    rpc_client_wake_at(client, request, next_wake(client, request, now_ms));
    return true;
}

/* --- the queue -------------------------------------------------------------------- */

bool rpc_client_starting(const struct sh_rpc_client *client)
{
    return client->ready == 0 && client->grace_until_ms > 0 &&
           sh_now_ms() < client->grace_until_ms;
}

/* How long it may wait for a replica with room. */
static uint64_t patience_ms(const struct sh_rpc_client *client,
                            const struct rpc_request *request)
{
    uint64_t left = sh_left_ms(request->deadline_ms);
    uint64_t most = RPC_PACE_SPAN_MS;
    if (rpc_client_starting(client)) {
        most = sh_left_ms(client->grace_until_ms);
        return left / 2 < most ? left / 2 : most;
    }
    return left / 4 < most ? left / 4 : most;
}

bool rpc_client_full(struct sh_rpc_client *client)
{
    return client->queued >= RPC_QUEUE_MAX ||
           rpc_pace_refuses(&client->pace, sh_now_ms(), client->queued);
}

void rpc_request_enqueue(struct sh_rpc_client *client, struct rpc_request *request)
{
    request->phase = RPC_WAITING;
    request->next = NULL;
    request->prev = client->queue_last;
    *(client->queue_last ? &client->queue_last->next : &client->queue) = request;
    client->queue_last = request;
    client->queued++;
    rpc_client_wake_at(client, request, sh_now_ms() + patience_ms(client, request));
}

void rpc_request_dequeue(struct sh_rpc_client *client, struct rpc_request *request)
{
    *(request->prev ? &request->prev->next : &client->queue) = request->next;
    *(request->next ? &request->next->prev : &client->queue_last) = request->prev;
    request->next = request->prev = NULL;
    client->queued--;
    rpc_pace_note(&client->pace, sh_now_ms(), 0, client->queued);
}

void rpc_request_pump(struct sh_rpc_client *client)
{
    while (client->queue && !rpc_client_starting(client)) {
        struct rpc_request *request = client->queue;
        bool hopeless = !rpc_request_has_another(client, request);
        if (!hopeless && !rpc_request_dispatch(client, request))
            return;
        rpc_request_dequeue(client, request);
        if (hopeless)
            rpc_request_fail(client, request,
                             request->failure ? request->failure : SH_UNAVAILABLE);
    }
}
