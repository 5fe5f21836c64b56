/* rpc_peers: the callers that a server knows, by the identity that ROUTER gave their
 * connection. Loop thread only. */
#ifndef LIBSHARED_RPC_PEERS_H
#define LIBSHARED_RPC_PEERS_H

#include "libshared/src/rpc_keys.h"
#include "shared/bytes.h"
#include "shared/err.h"

enum {
    RPC_IDENTITY_BYTES = 5, /* ROUTER's own; callers choose none */
    RPC_PEERS_MAX = 4096,
    RPC_PEER_SILENCE_MS = 10000, /* a caller pings four times a second */
};

struct rpc_identity {
    uint8_t bytes[RPC_IDENTITY_BYTES];
};

struct rpc_peer {
    struct rpc_identity identity;
    uint64_t heard_ms;
    uint64_t messages;  /* since its first HELLO */
    uint64_t knows;     /* so many changes of our state; see rpc_heard.c */
    uint64_t asked;     /* to tell whether it knows of so many */
    bool tells;         /* what it knows */
    struct rpc_key key; /* zero without keys */
    struct rpc_peer *next;
};

struct rpc_peers {
    struct rpc_peer *buckets[256];
    size_t count;
};

static inline struct sh_bytes rpc_identity_bytes(const struct rpc_identity *identity)
{
    return (struct sh_bytes){identity->bytes, sizeof(identity->bytes)};
}

struct rpc_peer *rpc_peers_find(const struct rpc_peers *peers,
                                const struct rpc_identity *identity);
/* Finds or makes it. Errors: SH_NOMEM, SH_BUSY (too many). */
SH_CHECK enum sh_err rpc_peers_add(struct rpc_peers *peers,
                                   const struct rpc_identity *identity,
                                   const struct rpc_key *key, uint64_t now_ms);
void rpc_peers_remove(struct rpc_peers *peers, const struct rpc_identity *identity);
/* One that has been silent for too long, or NULL. */
const struct rpc_peer *rpc_peers_silent(const struct rpc_peers *peers, uint64_t now_ms);
/* One that `keeps` says no to, or NULL. */
const struct rpc_peer *rpc_peers_unlike(const struct rpc_peers *peers,
                                        bool (*keeps)(const struct rpc_key *key));
void rpc_peers_each(const struct rpc_peers *peers,
                    void (*visit)(void *arg, const struct rpc_identity *identity),
                    void *arg);
void rpc_peers_free(struct rpc_peers *peers);

#endif
