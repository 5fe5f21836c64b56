/* rpc_serving: the insides of rpc_server: rpc_server.c owns the socket and the peers,
 * rpc_messages.c hears what they say, rpc_intake.c turns messages into calls, rpc_call.c
 * is the handler's view of a call and rpc_answer.c sends what it is answered. Loop thread
 * only. */
#ifndef LIBSHARED_RPC_SERVING_H
#define LIBSHARED_RPC_SERVING_H

#include "libshared/src/rpc_unfinished.h"
#include "libshared/src/rpc_wire.h"
#include "shared/metrics.h"
#include "shared/rpc_server.h"

enum { RPC_STATUS_COUNT = STATUS_UNREADABLE + 1, RPC_CALLS_KEPT = 256 };

struct rpc_method {
    uint32_t id;
    const char *name;
    size_t max_payload;
    sh_rpc_handler_fn *handler;
    void *arg;
    struct sh_series *requests[RPC_STATUS_COUNT]; /* found at first use */
    struct sh_series *duration;
    struct rpc_method *next;
};

enum rpc_phase {
    RPC_ASSEMBLING, /* the request's payload is not all here */
    RPC_WORKING,    /* the handler has it */
    RPC_HOLDING,    /* answered; not all callers have heard of the state */
    RPC_SENDING,    /* answered; not all of the answer is on its way */
};

struct sh_rpc_call {
    struct sh_rpc_server *server;
    struct sh_rpc_call *next; /* of server->calls, oldest first; or of ->spare */
    struct sh_rpc_call *prev;
    enum rpc_phase phase;
    bool canceled;
    void (*on_cancel)(void *arg);
    void *cancel_arg;

    struct rpc_identity peer;
    struct envelope request;
    struct rpc_method *method;
    uint64_t started_us;
    uint64_t deadline_ms;
    zmq_msg_t meta;
    zmq_msg_t payload;
    struct rpc_assembly assembly; /* instead of `payload`, when it came in pieces */
    struct sh_bytes body;         /* one of the two, once it is whole */
    struct caller caller;         /* borrows from `meta` */
    struct sh_trace trace;
    struct sh_arena arena;

    struct envelope answer;
    zmq_msg_t answer_meta;
    zmq_msg_t answer_payload;
    size_t sent; /* bytes of answer_payload */
    uint32_t credit;
    bool begun;          /* the first piece has been sent */
    bool when_heard;     /* the answer is held back until all have heard */
    uint64_t changes;    /* of these, while it is held */
    uint64_t held_until; /* milliseconds of sh_now_ms() */
};

struct sh_rpc_server {
    struct sh_zmq_loop *zmq;
    struct sh_zmq_socket *socket; /* NULL: closed */
    struct sh_zmq_socket *watch;  /* who comes in, and handshakes that fail */
    unsigned keys;                /* generation of the ring that the peers came in by */
    char *service;
    char *instance;
    double started;
    uint32_t max_in_flight;
    const struct sh_workers *pace; /* NULL: none */
    char endpoint[256];
    uint64_t state; /* of the data, and how often it changed; 0: never told */
    uint64_t state_changes;
    bool (*behind)(void *arg); /* NULL: never */
    void *behind_arg;

    struct rpc_method *methods;
    struct rpc_method unknown; /* for the metrics of what names no method */
    struct rpc_peers peers;
    struct rpc_unfinished unfinished;

    struct sh_rpc_call *calls; /* oldest first */
    struct sh_rpc_call *last;
    size_t in_flight;
    size_t assembling_bytes;
    struct sh_rpc_call *spare;
    size_t spare_count;
    struct sh_buffer scratch; /* what is being encoded */

    uv_timer_t tick;  /* silent peers, overdue assemblies */
    uv_timer_t look;  /* messages without end */
    uv_timer_t flush; /* answers that a full pipe did not take */
    uv_timer_t heard; /* answers that were held long enough */
    uv_timer_t quiet; /* draining: nothing came in for a while */
    size_t handles;
    bool draining;
    bool drained;
    bool closing;
    void (*drain_done)(void *arg);
    void *drain_arg;
};

/* rpc_server.c */
struct rpc_method *rpc_server_method(struct sh_rpc_server *server, uint32_t id);
uint16_t rpc_server_credit(const struct sh_rpc_server *server);
/* Into a head of ours. */
void rpc_server_tell_state(const struct sh_rpc_server *server, struct envelope *head);
void rpc_server_peer_gone(struct sh_rpc_server *server,
                          const struct rpc_identity *identity);
/* A call has ended: the drain may go on, or the closed server's memory go. */
void rpc_server_call_ended(struct sh_rpc_server *server);

/* A request came while it was quiet: the drain waits for quiet anew. */
void rpc_server_not_quiet(struct sh_rpc_server *server);

/* rpc_messages.c */
/* The head of a message of our own. */
struct envelope rpc_server_about(const struct sh_rpc_server *server, uint8_t type);
void rpc_server_on_message(void *arg, zmq_msg_t *frames, size_t count);
/* The ring of keys has changed: peers that may call no more go. */
void rpc_server_revoke(struct sh_rpc_server *server);

/* rpc_intake.c */
void rpc_intake_request(struct sh_rpc_server *server, const struct rpc_identity *peer,
                        const struct envelope *request, zmq_msg_t *meta,
                        zmq_msg_t *payload);
void rpc_intake_chunk(struct sh_rpc_server *server, const struct rpc_identity *peer,
                      const struct envelope *chunk, zmq_msg_t *payload);
/* What CANCEL, CHUNK or CREDIT names, or NULL. */
struct sh_rpc_call *rpc_intake_find(const struct sh_rpc_server *server,
                                    const struct rpc_identity *peer,
                                    const struct envelope *about);

/* rpc_answer.c */
/* Room for a call, listed; NULL when out of memory. */
struct sh_rpc_call *rpc_call_new(struct sh_rpc_server *server);
void rpc_call_end(struct sh_rpc_call *call);
/* Tells the handler that nobody waits; a call that no handler has is ended. */
void rpc_call_cancel(struct sh_rpc_call *call);
/* Sends what credit and the pipe allow; ends the call when that was all. */
void rpc_answer_push(struct sh_rpc_call *call);
/* The answer to a message that became no call. */
void rpc_answer_refuse(struct sh_rpc_server *server, const struct rpc_identity *peer,
                       const struct envelope *request, enum sh_err err, const char *code);

/* rpc_heard.c */
/* Sends the answer as soon as all callers have heard of the state as it is now. */
void rpc_heard_hold(struct sh_rpc_call *call);
/* What a caller's HELLO or PING says that it has heard of. `peer` NULL: a stranger. */
void rpc_heard_told(struct sh_rpc_server *server, struct rpc_peer *peer,
                    const struct envelope *head);
/* A caller is gone, or knows more. */
void rpc_heard_look(struct sh_rpc_server *server);
void rpc_heard_on_timer(uv_timer_t *timer);

#endif
