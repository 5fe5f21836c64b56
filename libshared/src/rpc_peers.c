#include "libshared/src/rpc_peers.h"

#include "shared/mem.h"

/* ROUTER counts its peers up from a random number, in the last four bytes. */
static size_t bucket_of(const struct rpc_identity *identity)
{
    return identity->bytes[RPC_IDENTITY_BYTES - 1];
}

static struct rpc_peer **find(struct rpc_peer **at, const struct rpc_identity *identity)
{
    while (*at && memcmp(&(*at)->identity, identity, sizeof(*identity)) != 0)
        at = &(*at)->next;
    return at;
}

struct rpc_peer *rpc_peers_find(const struct rpc_peers *peers,
                                const struct rpc_identity *identity)
{
    struct rpc_peer *first = peers->buckets[bucket_of(identity)];
    return *find(&first, identity);
}

enum sh_err rpc_peers_add(struct rpc_peers *peers, const struct rpc_identity *identity,
                          const struct rpc_key *key, uint64_t now_ms)
{
    struct rpc_peer **at = find(&peers->buckets[bucket_of(identity)], identity);
    if (!*at) {
        if (peers->count >= RPC_PEERS_MAX)
            return SH_BUSY;
        *at = sh_alloc(sizeof(**at));
        if (!*at)
            return SH_NOMEM;
        (*at)->identity = *identity;
        (*at)->key = *key;
        peers->count++;
    }
    (*at)->heard_ms = now_ms;
    return SH_OK;
}

void rpc_peers_remove(struct rpc_peers *peers, const struct rpc_identity *identity)
{
    struct rpc_peer **at = find(&peers->buckets[bucket_of(identity)], identity);
    struct rpc_peer *peer = *at;
    if (!peer)
        return;
    *at = peer->next;
    sh_free(peer);
    peers->count--;
}

const struct rpc_peer *rpc_peers_silent(const struct rpc_peers *peers, uint64_t now_ms)
{
    for (size_t i = 0; i < SH_COUNT(peers->buckets); i++) {
        for (const struct rpc_peer *p = peers->buckets[i]; p; p = p->next) {
            if (p->heard_ms + RPC_PEER_SILENCE_MS < now_ms)
                return p;
        }
    }
    return NULL;
}

const struct rpc_peer *rpc_peers_unlike(const struct rpc_peers *peers,
                                        bool (*keeps)(const struct rpc_key *key))
{
    for (size_t i = 0; i < SH_COUNT(peers->buckets); i++) {
        for (const struct rpc_peer *p = peers->buckets[i]; p; p = p->next) {
            if (!keeps(&p->key))
                return p;
        }
    }
    return NULL;
}

void rpc_peers_each(const struct rpc_peers *peers,
                    void (*visit)(void *arg, const struct rpc_identity *identity),
                    void *arg)
{
    for (size_t i = 0; i < SH_COUNT(peers->buckets); i++) {
        for (const struct rpc_peer *p = peers->buckets[i]; p; p = p->next)
            visit(arg, &p->identity);
    }
}

void rpc_peers_free(struct rpc_peers *peers)
{
    for (size_t i = 0; i < SH_COUNT(peers->buckets); i++) {
        while (peers->buckets[i]) {
            struct rpc_identity identity = peers->buckets[i]->identity;
            rpc_peers_remove(peers, &identity);
        }
    }
}
