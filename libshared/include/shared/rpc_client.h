/* rpc_client: the calling side of the bus, for one service, on one loop. Knows the
 * replicas of the service (one DEALER each), their state and load; chooses, waits,
 * retries, hedges and breaks the circuit as docs/protocol.md says. Loop thread only. */
#ifndef SHARED_RPC_CLIENT_H
#define SHARED_RPC_CLIENT_H

#include "proto/msg.h"
#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/trace.h"
#include "shared/zmq_loop.h"

struct sh_rpc_client;

struct sh_rpc_client_options {
    const char *service;   /* "search": must be what HELLO_ACK says */
    const char *endpoints; /* "tcp://host:port,…" or "ipc://path"; names are resolved
                              again every second, one replica per address */
};

SH_CHECK enum sh_err sh_rpc_client_create(struct sh_zmq_loop *zmq,
                                          const struct sh_rpc_client_options *options,
                                          struct sh_rpc_client **out);

enum sh_rpc_kind {
    SH_RPC_READ,  /* idempotent: tried again elsewhere, hedged */
    SH_RPC_WRITE, /* again only when surely not executed, or with an idempotency key */
};

struct sh_rpc_request {
    uint32_t method;
    enum sh_rpc_kind kind;
    const struct caller *caller; /* NULL: the service itself asks */
    struct sh_bytes payload;     /* an encoded message; copied. Over 1 MiB it streams */
    uint64_t deadline_ms;
    const struct sh_trace *trace;   /* copied; NULL: a new one */
    const uint8_t *idempotency_key; /* 16 bytes or NULL */
    uint64_t replica; /* of sh_rpc_client_replicas(): this one or none; SH_BUSY at once
                         when it has no room or is gone. 0: any */
    bool waits;       /* for something to happen: how long it takes says nothing about how
                         fast the replica is */
};

struct sh_rpc_response {
    enum sh_err err; /* SH_UNAVAILABLE: nobody ready; SH_TIMEOUT; SH_INTERNAL: the outcome
                        of a write is unknown; else what the service said */
    struct sh_bytes meta; /* borrowed, like the rest, until `done` returns */
    struct sh_bytes payload;
    const char *code;  /* of an error; "" otherwise */
    const char *field; /* "" when none */
    const char *message;
    uint32_t retry_after_ms;
};
/* Exactly once per accepted request, never from inside sh_rpc_send(). */
typedef void sh_rpc_done_fn(void *arg, const struct sh_rpc_response *response);

/* In the first second of a client's life, until it has met a replica, requests wait for
 * one (at most half of their time) instead of failing. *id (may be NULL) names the
 * request for sh_rpc_cancel(). Errors at once: SH_NOMEM, SH_TOOBIG, SH_UNAVAILABLE
 * (breaker open), SH_BUSY (queue full), SH_CANCELED (closing).
 */
SH_CHECK enum sh_err sh_rpc_send(struct sh_rpc_client *client,
                                 const struct sh_rpc_request *request,
                                 sh_rpc_done_fn *done, void *arg, uint64_t *id);
/* Nobody wants the answer: `done` is not called any more; the service is told. */
void sh_rpc_cancel(struct sh_rpc_client *client, uint64_t id);

/* Replicas that can take work now. */
size_t sh_rpc_client_ready(const struct sh_rpc_client *client);
/* Those, for requests to one of them; each stands for a connection and ends with it. At
 * most `max`; *others: replicas that are connected but take no work at the moment. */
size_t sh_rpc_client_replicas(const struct sh_rpc_client *client, uint64_t *replicas,
                              size_t max, size_t *others);
/* What the service's data is like, as its replicas that can take work last said on any
 * loop of this process: the same number as long as it is the same. 0: they differ, or one
 * does not say, or there is none. */
uint64_t sh_rpc_client_state(const struct sh_rpc_client *client);
/* Appends an object per replica,
 * {"service","endpoint","state","instance","outstanding",…}, for /peers: with commas
 * between them and after an object that is already there; the brackets are yours. */
void sh_rpc_client_describe(const struct sh_rpc_client *client, struct sh_buffer *json);
/* Called after each change of the number of ready replicas. */
void sh_rpc_client_on_change(struct sh_rpc_client *client, void (*changed)(void *arg),
                             void *arg);
/* What waits gets SH_CANCELED before this returns; *client becomes NULL. */
void sh_rpc_client_close(struct sh_rpc_client **client);

#endif
