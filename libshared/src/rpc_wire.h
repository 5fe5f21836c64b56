/* rpc_wire: what both sides of the bus share: whole messages onto a socket, counting of
 * what had to be dropped, payloads in pieces, and cheap random numbers. Loop thread only,
 * but for rpc_bad_message (any thread). */
#ifndef LIBSHARED_RPC_WIRE_H
#define LIBSHARED_RPC_WIRE_H

#include "proto/envelope.h"
#include "shared/zmq_loop.h"

/* A depth that says: what this replica shows may be too old; ask others. */
enum { RPC_DEPTH_BEHIND = UINT16_MAX };

/* cairn_rpc_bad_messages_total; `reason` must be a literal. */
void rpc_bad_message(const char *reason);

/* The frames of one message, ROUTER's identity (or an empty frame) first. */
struct rpc_frames {
    zmq_msg_t frame[SH_ZMQ_FRAMES_MAX];
    size_t count;
};

/* Empty, or beginning with a peer's identity when `to` is not empty. Frames are built in
 * order by these; out of memory fails, and whatever was built is ended by rpc_frames_free
 * (also after a send). */
SH_CHECK enum sh_err rpc_frames_start(struct rpc_frames *frames, struct sh_bytes to,
                                      const struct envelope *envelope,
                                      struct sh_bytes meta);
SH_CHECK enum sh_err rpc_frames_copy(struct rpc_frames *frames, struct sh_bytes bytes);
/* Shares the message's bytes instead of copying them. */
SH_CHECK enum sh_err rpc_frames_share(struct rpc_frames *frames, zmq_msg_t *message);
void rpc_frames_free(struct rpc_frames *frames);

/* Header, meta and, unless it is empty, payload: built, sent and freed. */
SH_CHECK enum sh_err rpc_send_small(struct sh_zmq_socket *socket, struct sh_bytes to,
                                    const struct envelope *envelope, struct sh_bytes meta,
                                    struct sh_bytes payload);

static inline struct sh_bytes rpc_frame_bytes(zmq_msg_t *frame)
{
    return (struct sh_bytes){zmq_msg_data(frame), zmq_msg_size(frame)};
}

/* A payload that arrives in pieces. {0} is none. */
struct rpc_assembly {
    char *data;
    size_t len;
    size_t total;
};

SH_CHECK enum sh_err rpc_assembly_start(struct rpc_assembly *assembly, size_t total);
/* Errors: SH_TOOBIG, more than was announced. */
SH_CHECK enum sh_err rpc_assembly_add(struct rpc_assembly *assembly,
                                      struct sh_bytes piece);
static inline bool rpc_assembly_full(const struct rpc_assembly *assembly)
{
    return assembly->len == assembly->total;
}
void rpc_assembly_free(struct rpc_assembly *assembly);

enum {
    RPC_CHUNK_CREDIT = 4,             /* pieces under way at most */
    RPC_ASSEMBLY_BYTES_MAX = 64 << 20 /* of all payloads being assembled by one side */
};

/* Not for secrets: choices, jitter, ids that must only be unique here. */
struct rpc_random {
    uint64_t state;
};
struct rpc_random rpc_random_seed(void);
uint64_t rpc_random_next(struct rpc_random *random);
/* 0 <= result < below; 0 when below is 0. */
uint64_t rpc_random_below(struct rpc_random *random, uint64_t below);

#endif
