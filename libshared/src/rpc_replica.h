/* rpc_replica: one replica of a service as a caller sees it: one DEALER and its monitor,
 * the handshake, PINGs, and what is known of its load and health. Each connection has an
 * epoch of its own, so nothing from an earlier one can be mistaken. Loop thread only. */
#ifndef LIBSHARED_RPC_REPLICA_H
#define LIBSHARED_RPC_REPLICA_H

#include "libshared/src/rpc_balance.h"
#include "libshared/src/rpc_states.h"
#include "libshared/src/rpc_window.h"
#include "libshared/src/rpc_wire.h"

enum rpc_replica_state {
    RPC_RESOLVED,   /* connecting, or waiting to */
    RPC_HANDSHAKEN, /* connected; HELLO is out */
    RPC_HALF_OPEN,  /* back from an ejection: two good PINGs are wanted */
    RPC_READY,      /* takes work */
    RPC_DRAINING,   /* finishes what it has */
    RPC_EJECTED,    /* takes none until `reopen_ms` */
    RPC_GONE,       /* no lookup names it and nothing waits for it */
};

struct rpc_replica;

struct rpc_replica_events {
    /* The state has changed. */
    void (*changed)(void *arg, struct rpc_replica *replica);
    /* The connection is gone, and with it every answer that was outstanding. */
    void (*lost)(void *arg, struct rpc_replica *replica);
    /* REPLY, ERROR, CHUNK or CREDIT; `payload` may be NULL. */
    void (*message)(void *arg, struct rpc_replica *replica, const struct envelope *head,
                    zmq_msg_t *meta, zmq_msg_t *payload);
    void *arg;
};

struct rpc_replica {
    struct sh_zmq_loop *zmq;
    const struct rpc_replica_events *events;
    struct rpc_random *random;
    const char *service;
    char *endpoint;
    size_t source;    /* which of the configured endpoints names it */
    unsigned missing; /* good lookups in a row that did not */
    bool leaving;

    enum rpc_replica_state state;
    enum rpc_replica_state published; /* as the metrics count it */
    struct sh_zmq_socket *socket;     /* NULL: not connected */
    struct sh_zmq_socket *monitor;
    uint64_t epoch;
    uint64_t reopen_ms;
    size_t key;        /* which of the service's public keys the socket has, or will */
    unsigned refusals; /* handshakes that failed, in a row */
    char instance[65];
    struct rpc_state *data; /* what the instance says of its data; NULL: none known */

    uint32_t outstanding;
    uint32_t depth;
    uint32_t credit;

    bool pinged; /* and not answered yet */
    bool late;   /* ejected, and its PONGs were late: it was not its work that was slow */
    uint64_t pinged_ms;
    uint64_t ping_ms; /* what the last PONG took */
    unsigned misses;
    unsigned good_pings;
    unsigned ejections;
    unsigned failures_in_row;
    bool probation; /* until the first request after an ejection went well */
    uint64_t ready_ms;
    struct rpc_window window;
};

/* `service` and `events` must outlive it. NULL when out of memory. */
struct rpc_replica *rpc_replica_new(struct sh_zmq_loop *zmq, const char *service,
                                    const char *endpoint,
                                    const struct rpc_replica_events *events,
                                    struct rpc_random *random);
/* The connection goes; the struct stays, for whoever is still using it. */
void rpc_replica_disconnect(struct rpc_replica *replica);
void rpc_replica_free(struct rpc_replica *replica);

/* Four times a second. True: three PINGs in a row were not answered. */
bool rpc_replica_tick(struct rpc_replica *replica, uint64_t now_ms);
/* No work until the ejection ends. With `lost` the connection ends at once, and what is
 * outstanding with it; otherwise that may still be answered, and if its PONGs were late,
 * the ejection ends when they come in time again. */
void rpc_replica_eject(struct rpc_replica *replica, uint64_t now_ms, bool lost);
/* Finish what it has, then RPC_GONE. */
void rpc_replica_leave(struct rpc_replica *replica);
/* A new connection at once, in place of one that the other side has forgotten. */
void rpc_replica_renew(struct rpc_replica *replica, uint64_t now_ms);
/* A lookup names it again. */
void rpc_replica_stay(struct rpc_replica *replica);

/* May take one more request now. */
bool rpc_replica_has_room(const struct rpc_replica *replica);
struct rpc_load rpc_replica_load(const struct rpc_replica *replica, uint64_t now_ms);
/* How a request ended; the latency counts when it went well. */
void rpc_replica_result(struct rpc_replica *replica, uint64_t now_ms, bool ok,
                        uint64_t us);
const char *rpc_replica_state_name(enum rpc_replica_state state);

#endif
