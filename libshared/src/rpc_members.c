/* The replicas of a service: who there is by the lookups, who takes work by their health.
 */
#include "libshared/src/rpc_calling.h"
#include "libshared/src/rpc_peers.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    LOOKUPS_MISSED = 3,
    STOOD_STILL_MS = 500, /* without a tick: two PINGs' time */
    RETURN_GRACE_MS = 1000,
};

static struct sh_family replica_states = {
    .kind = SH_GAUGE,
    .name = "cairn_rpc_client_replicas",
    .help = "Replicas of a service as its callers see them, by state.",
    .labels = {"service", "state"},
};

static void publish(struct sh_rpc_client *client, enum rpc_replica_state state, double by)
{
    struct sh_series **series = &client->states[state];
    const char *const labels[] = {client->service, rpc_replica_state_name(state)};
    if (!*series)
        *series = sh_series(&replica_states, labels);
    sh_series_add(*series, by);
}

static size_t count_state(const struct sh_rpc_client *client,
                          enum rpc_replica_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < client->replica_count; i++)
        count += client->replicas[i]->state == state;
    return count;
}

bool rpc_members_any_ejected(const struct sh_rpc_client *client)
{
    return count_state(client, RPC_EJECTED) > 0;
}

/* The gauges hold what all clients of the process see: each adds its own. */
void rpc_members_changed(void *arg, struct rpc_replica *replica)
{
    struct sh_rpc_client *client = arg;
    size_t before = client->ready;
    publish(client, replica->published, -1);
    publish(client, replica->state, 1);
    sh_info(NULL, "%s at %s: %s", client->service, replica->endpoint,
            rpc_replica_state_name(replica->state));
    replica->published = replica->state;
    client->ready = count_state(client, RPC_READY);
    if (client->ready > before) {
        client->grace_until_ms = 0;
        rpc_request_pump(client);
    }
    if (client->ready != before && client->on_change && !client->closing)
        client->on_change(client->change_arg);
}

/* --- lookups ---------------------------------------------------------------------- */

static bool names(const struct rpc_endpoint *endpoints, size_t count,
                  const char *endpoint)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(endpoints[i].text, endpoint) == 0)
            return true;
    }
    return false;
}

static struct rpc_replica *member(const struct sh_rpc_client *client,
                                  const char *endpoint)
{
    for (size_t i = 0; i < client->replica_count; i++) {
        if (strcmp(client->replicas[i]->endpoint, endpoint) == 0)
            return client->replicas[i];
    }
    return NULL;
}

static void join(struct sh_rpc_client *client, size_t source, const char *endpoint)
{
    if (client->replica_count == RPC_REPLICAS_MAX) {
        sh_warning(NULL, "%s has more than %d replicas", client->service,
                   RPC_REPLICAS_MAX);
        return;
    }
    struct rpc_replica *replica = rpc_replica_new(client->zmq, client->service, endpoint,
                                                  &client->events, &client->random);
    if (!replica) {
        sh_error(NULL, "no memory for %s at %s", client->service, endpoint);
        return; /* the next lookup tries again */
    }
    replica->source = source;
    client->replicas[client->replica_count++] = replica;
    publish(client, replica->state, 1);
}

void rpc_members_found(void *arg, size_t source, const struct rpc_endpoint *endpoints,
                       size_t count)
{
    struct sh_rpc_client *client = arg;
    for (size_t i = 0; i < client->replica_count; i++) {
        struct rpc_replica *replica = client->replicas[i];
        if (names(endpoints, count, replica->endpoint))
            rpc_replica_stay(replica);
        else if (replica->source == source && ++replica->missing == LOOKUPS_MISSED)
            rpc_replica_leave(replica);
    }
    for (size_t i = 0; i < count; i++) {
        if (!member(client, endpoints[i].text))
            join(client, source, endpoints[i].text);
    }
}

static void remove_gone(struct sh_rpc_client *client)
{
    size_t kept = 0;
    for (size_t i = 0; i < client->replica_count; i++) {
        struct rpc_replica *replica = client->replicas[i];
        if (replica->state != RPC_GONE) {
            client->replicas[kept++] = replica;
            continue;
        }
        publish(client, RPC_GONE, -1);
        rpc_replica_free(replica);
    }
    client->replica_count = kept;
}

/* --- health ----------------------------------------------------------------------- */

static bool may_eject(const struct sh_rpc_client *client)
{
    return rpc_balance_may_eject(client->replica_count, client->ready);
}

static void eject(struct sh_rpc_client *client, struct rpc_replica *replica,
                  const char *why, bool lost)
{
    sh_warning(NULL, "%s at %s is ejected: %s", client->service, replica->endpoint, why);
    rpc_replica_eject(replica, sh_now_ms(), lost);
}

/* Three PINGs without an answer: the program is stuck, whatever its machine says. */
static void silent(struct sh_rpc_client *client, struct rpc_replica *replica)
{
    if (replica->state == RPC_HALF_OPEN ||
        (replica->state == RPC_READY && may_eject(client)))
        eject(client, replica, "no answer to PING", true);
}

static void judge(struct sh_rpc_client *client, uint64_t now_ms)
{
    struct rpc_record records[RPC_REPLICAS_MAX];
    struct rpc_replica *ready[RPC_REPLICAS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < client->replica_count; i++) {
        struct rpc_replica *replica = client->replicas[i];
        if (replica->state != RPC_READY)
            continue;
        struct rpc_totals totals = rpc_window_totals(&replica->window, now_ms);
        ready[count] = replica;
        records[count++] = (struct rpc_record){
            .ok = totals.ok,
            .failed = totals.failed,
            .p99_us = rpc_window_quantile(&replica->window, now_ms, 0.99),
            .tenth_us = rpc_window_slowest(&replica->window, now_ms, RPC_SLOW_ANSWERS),
            .failures_in_row = replica->failures_in_row,
        };
    }
    for (size_t i = 0; i < count && may_eject(client); i++) {
        const char *why = rpc_balance_outlier(records, count, i);
        if (why)
            eject(client, ready[i], why, false);
    }
}

/* Who has not heard of us for so long has forgotten us, and would refuse what is asked.
 */
static void return_to_all(struct sh_rpc_client *client, uint64_t now_ms)
{
    for (size_t i = 0; i < client->replica_count && !client->closing; i++)
        rpc_replica_renew(client->replicas[i], now_ms);
}

void rpc_members_awake(struct sh_rpc_client *client, uint64_t now_ms)
{
    uint64_t stood =
        client->awake_ms > 0 && now_ms > client->awake_ms ? now_ms - client->awake_ms : 0;
    client->awake_ms = now_ms;
    if (stood < STOOD_STILL_MS)
        return;
    client->woke_ms = now_ms;
    /* libzmq's heartbeats have stood still, too: connections may end now, all together */
    client->grace_until_ms = now_ms + RETURN_GRACE_MS;
    for (size_t i = 0; i < client->replica_count; i++)
        client->replicas[i]->misses = 0;
    if (stood >= RPC_PEER_SILENCE_MS)
        return_to_all(client, now_ms);
}

bool rpc_members_slept(const struct sh_rpc_client *client, uint64_t began_us)
{
    return began_us / 1000 < client->woke_ms;
}

void rpc_members_tick(struct sh_rpc_client *client)
{
    uint64_t now_ms = sh_now_ms();
    rpc_members_awake(client, now_ms);
    for (size_t i = 0; i < client->replica_count && !client->closing; i++) {
        if (rpc_replica_tick(client->replicas[i], now_ms))
            silent(client, client->replicas[i]);
    }
    if (client->closing)
        return;
    judge(client, now_ms);
    remove_gone(client);
    client->hedge_ms =
        rpc_retry_hedge_ms(rpc_window_totals(&client->window, now_ms).ok,
                           rpc_window_quantile(&client->window, now_ms, 0.95));
}

void rpc_members_close(struct sh_rpc_client *client)
{
    for (size_t i = 0; i < client->replica_count; i++) {
        struct rpc_replica *replica = client->replicas[i];
        struct envelope bye = {.type = TYPE_BYE, .epoch = replica->epoch};
        if (replica->socket &&
            rpc_send_small(replica->socket, (struct sh_bytes){0}, &bye,
                           (struct sh_bytes){0}, (struct sh_bytes){0}) != SH_OK)
            rpc_bad_message("farewell_lost"); /* it finds out by our silence */
        publish(client, replica->published, -1);
        rpc_replica_disconnect(replica);
    }
}
