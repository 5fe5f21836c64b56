/* rpc_calling: the insides of rpc_client. rpc_client.c is the public face and the table
 * of requests, rpc_dispatch.c finds a replica for one, rpc_request.c is the rest of its
 * life, rpc_pieces.c payloads that do not fit into a frame, rpc_members.c the set of
 * replicas. Loop thread only. */
#ifndef LIBSHARED_RPC_CALLING_H
#define LIBSHARED_RPC_CALLING_H

#include "libshared/src/rpc_breaker.h"
#include "libshared/src/rpc_pace.h"
#include "libshared/src/rpc_replica.h"
#include "libshared/src/rpc_resolve.h"
#include "libshared/src/rpc_retry.h"
#include "shared/metrics.h"
#include "shared/rpc_client.h"

enum {
    RPC_REPLICAS_MAX = 64,
    RPC_TRIES = 2, /* at the same time: the second is a hedge */
    RPC_AVOIDED_MAX = 4,
    RPC_QUEUE_MAX = 1024,
};

/* A request on its way to one replica. */
struct rpc_try {
    struct rpc_replica *replica; /* NULL: none */
    uint8_t number;
    uint64_t sent_us;
    size_t offset; /* of the payload, sent so far */
    uint32_t credit;
    struct envelope head; /* of a reply that comes in pieces */
    zmq_msg_t reply_meta; /* initialised while `reply` has data */
    struct rpc_assembly reply;
};

enum rpc_request_phase {
    RPC_FREE,
    RPC_WAITING,     /* in the queue, for a replica with room */
    RPC_BACKING_OFF, /* until its wake */
    RPC_SENT,
};

struct rpc_request {
    uint32_t slot;
    uint32_t generation; /* with the slot: the sequence on the wire and the public id */
    enum rpc_request_phase phase;
    struct rpc_request *next; /* of the queue, or of the free ones */
    struct rpc_request *prev;

    enum sh_rpc_kind kind;
    uint64_t only; /* epoch of the one replica that may get it; 0: any */
    bool waits;    /* its duration is no measure of anybody's speed */
    uint32_t method;
    bool has_key;
    uint8_t key[16];
    struct sh_trace trace;
    zmq_msg_t meta;
    zmq_msg_t payload;
    uint64_t deadline_ms;
    uint64_t started_us;
    sh_rpc_done_fn *done;
    void *arg;

    struct rpc_try tries[RPC_TRIES];
    uint8_t attempts;
    unsigned retries;
    bool hedged;
    bool extra;                      /* holds a share of the retry budget */
    enum sh_err failure;             /* of the last try */
    uint64_t avoid[RPC_AVOIDED_MAX]; /* epochs that have been tried */
};

struct sh_rpc_client {
    struct sh_zmq_loop *zmq;
    uv_loop_t *uv;
    char *service;
    struct rpc_random random;
    struct rpc_resolve *resolve;
    struct rpc_replica_events events;
    struct rpc_replica *replicas[RPC_REPLICAS_MAX];
    size_t replica_count;
    size_t ready;
    uint64_t grace_until_ms; /* a caller that has just started, or was stopped, waits for
                                its first replica until then; 0 once there was one */
    uint64_t awake_ms;       /* when this loop was last seen to run; 0: never */
    uint64_t woke_ms;        /* when it last went on after it had stood still; 0: never */
    void (*on_change)(void *arg);
    void *change_arg;

    struct rpc_request **slots;
    uint64_t *wakes; /* by slot; UINT64_MAX when free */
    size_t slot_count;
    struct rpc_request *spare;
    struct rpc_request *queue; /* oldest first */
    struct rpc_request *queue_last;
    uint32_t queued;
    struct rpc_pace pace; /* at which the queue moves */
    size_t assembling_bytes;

    struct rpc_budget budget;
    struct rpc_breaker breaker;
    struct rpc_window window; /* latencies, for the hedge */
    uint64_t hedge_ms;
    struct sh_buffer scratch;

    uv_timer_t tick;   /* 5 ms, while there are requests */
    uv_timer_t health; /* PINGs, ejections */
    size_t handles;
    bool closing;

    struct sh_series *results[SH_ERR_COUNT]; /* found at first use */
    struct sh_series *duration;
    struct sh_series *retried;
    struct sh_series *hedges;
    struct sh_series *breaker_open;
    struct sh_series *states[RPC_GONE + 1];
};

/* rpc_client.c */
static inline uint64_t rpc_request_id(const struct rpc_request *request)
{
    return (uint64_t)request->generation << 32 | request->slot;
}
struct rpc_request *rpc_client_find(const struct sh_rpc_client *client, uint64_t id);
void rpc_client_wake_at(struct sh_rpc_client *client, const struct rpc_request *request,
                        uint64_t wake_ms);
/* Everything but `done`: the slot is free afterwards. */
void rpc_client_forget(struct sh_rpc_client *client, struct rpc_request *request);

/* rpc_dispatch.c */
/* Nobody is ready yet, or again after this loop stood still, and it is too early to give
 * up. */
bool rpc_client_starting(const struct sh_rpc_client *client);
/* The queue holds as many as can be sent in time: who comes now would wait for nothing.
 */
bool rpc_client_full(struct sh_rpc_client *client);
/* Sends to a replica that has not been tried. False: none has room. */
bool rpc_request_dispatch(struct sh_rpc_client *client, struct rpc_request *request);
void rpc_request_enqueue(struct sh_rpc_client *client, struct rpc_request *request);
void rpc_request_dequeue(struct sh_rpc_client *client, struct rpc_request *request);
/* A replica has room again, or there are fewer of them. */
void rpc_request_pump(struct sh_rpc_client *client);
/* A ready replica has not been tried, whether it has room or not. */
bool rpc_request_has_another(const struct sh_rpc_client *client,
                             const struct rpc_request *request);

/* rpc_request.c */
/* How a request ended, for the metrics. */
void rpc_request_count(struct sh_rpc_client *client, enum sh_err err);
void rpc_request_wake(struct sh_rpc_client *client, struct rpc_request *request,
                      uint64_t now_ms);
/* A failure of our own finding. */
void rpc_request_fail(struct sh_rpc_client *client, struct rpc_request *request,
                      enum sh_err err);
/* CANCEL to whoever works on it. */
void rpc_request_call_off(struct sh_rpc_client *client, struct rpc_request *request);
void rpc_request_on_message(void *arg, struct rpc_replica *replica,
                            const struct envelope *head, zmq_msg_t *meta,
                            zmq_msg_t *payload);
void rpc_request_on_lost(void *arg, struct rpc_replica *replica);
/* The reply is whole. */
void rpc_request_answered(struct sh_rpc_client *client, struct rpc_request *request,
                          struct rpc_try *try, const struct envelope *head,
                          zmq_msg_t *meta, struct sh_bytes payload);
void rpc_try_end(struct sh_rpc_client *client, struct rpc_try *try);

/* rpc_pieces.c */
/* Errors: SH_BUSY when nothing could be sent. */
SH_CHECK enum sh_err rpc_pieces_send(struct rpc_request *request, struct rpc_try *try);
void rpc_pieces_on_message(struct sh_rpc_client *client, struct rpc_request *request,
                           struct rpc_try *try, const struct envelope *head,
                           zmq_msg_t *meta, zmq_msg_t *payload);

/* rpc_members.c */
void rpc_members_found(void *arg, size_t source, const struct rpc_endpoint *endpoints,
                       size_t count);
void rpc_members_changed(void *arg, struct rpc_replica *replica);
void rpc_members_tick(struct sh_rpc_client *client);
/* To be called by each timer before it judges anybody by the time. Where this loop itself
 * stood still (the process was stopped, the machine slept), what is overdue says nothing
 * about the replicas: their answers may be waiting to be read. */
void rpc_members_awake(struct sh_rpc_client *client, uint64_t now_ms);
/* What began then has the time in it in which this loop stood still. */
bool rpc_members_slept(const struct sh_rpc_client *client, uint64_t began_us);
bool rpc_members_any_ejected(const struct sh_rpc_client *client);
void rpc_members_close(struct sh_rpc_client *client);

#endif
