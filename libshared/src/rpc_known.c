/* What a client of RPC knows of its replicas. */
#include <jansson.h>

#include "libshared/src/rpc_calling.h"
#include "libshared/src/rpc_states.h"

size_t sh_rpc_client_ready(const struct sh_rpc_client *client)
{
    return client->ready;
}

size_t sh_rpc_client_replicas(const struct sh_rpc_client *client, uint64_t *replicas,
                              size_t max, size_t *others)
{
    size_t count = 0;

    *others = 0;
    for (size_t i = 0; i < client->replica_count; i++) {
        const struct rpc_replica *replica = client->replicas[i];
        if (replica->state == RPC_READY && count < max)
            replicas[count++] = replica->epoch;
        else
            *others += replica->state == RPC_READY || replica->state == RPC_HALF_OPEN ||
                       replica->state == RPC_HANDSHAKEN || replica->state == RPC_EJECTED;
    }
    return count;
}

uint64_t sh_rpc_client_state(const struct sh_rpc_client *client)
{
    uint64_t common = 0;

    for (size_t i = 0; i < client->replica_count; i++) {
        const struct rpc_replica *replica = client->replicas[i];
        if (replica->state != RPC_READY)
            continue;
        uint64_t state = replica->data ? rpc_state_read(replica->data) : 0;
        if (state == 0 || (common != 0 && common != state))
            return 0;
        common = state;
    }
    return common;
}

void sh_rpc_client_on_change(struct sh_rpc_client *client, void (*changed)(void *arg),
                             void *arg)
{
    client->on_change = changed;
    client->change_arg = arg;
}

static void describe(const struct sh_rpc_client *client,
                     const struct rpc_replica *replica, struct sh_buffer *out)
{
    json_t *object = json_pack(
        "{ss ss ss ss si si si si sb}", "service", client->service, "endpoint",
        replica->endpoint, "state", rpc_replica_state_name(replica->state), "instance",
        replica->instance, "outstanding", (int)replica->outstanding, "queue_depth",
        (int)replica->depth, "credit", (int)replica->credit, "ejections",
        (int)replica->ejections, "breaker_open", (int)client->breaker.open);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text && out->len > 0 && out->data[out->len - 1] == '}')
        sh_buffer_text(out, ",");
    if (text)
        sh_buffer_text(out, text);
    else
        out->err = SH_NOMEM;
    free(text);
    json_decref(object);
}

void sh_rpc_client_describe(const struct sh_rpc_client *client, struct sh_buffer *json)
{
    for (size_t i = 0; i < client->replica_count; i++)
        describe(client, client->replicas[i], json);
}
