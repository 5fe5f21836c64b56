/* zmq_loop: ZeroMQ sockets on a libuv loop. ZMQ_FD is edge-triggered and every send,
 * receive or option read consumes the edge; the glue keeps a set of dirty sockets, looks
 * at ZMQ_EVENTS of those before the loop sleeps and drains a bounded number of messages
 * after it wakes. One per loop; sockets never leave their loop's thread. */
#ifndef SHARED_ZMQ_LOOP_H
#define SHARED_ZMQ_LOOP_H

#include <uv.h>
#include <zmq.h>

#include "shared/bytes.h"
#include "shared/err.h"

struct sh_zmq_loop;
struct sh_zmq_socket;

/* The process's one context is made with the first loop and ended with the last. */
SH_CHECK enum sh_err sh_zmq_loop_create(uv_loop_t *loop, struct sh_zmq_loop **out);
/* All its sockets must be closed. *zmq becomes NULL. */
void sh_zmq_loop_close(struct sh_zmq_loop **zmq);
uv_loop_t *sh_zmq_loop_uv(const struct sh_zmq_loop *zmq);

enum { SH_ZMQ_FRAMES_MAX = 8 };

/* A whole message: 1 to SH_ZMQ_FRAMES_MAX frames; longer ones are dropped and counted
 * before they get here. Frames may be taken over by zmq_msg_move(); the rest is closed
 * when it returns. The handler may send and may close any socket, this one included. */
typedef void sh_zmq_message_fn(void *arg, zmq_msg_t *frames, size_t count);

struct sh_zmq_handler {
    sh_zmq_message_fn *message;
    void *arg;
};

/* `socket` (options set, not yet bound or connected by need) is owned from here on. */
SH_CHECK enum sh_err sh_zmq_socket_add(struct sh_zmq_loop *zmq, void *socket,
                                       const struct sh_zmq_handler *handler,
                                       struct sh_zmq_socket **out);
/* A socket of the process's context; NULL with errno set. */
void *sh_zmq_socket_new(struct sh_zmq_loop *zmq, int type);
void *sh_zmq_socket_raw(const struct sh_zmq_socket *socket); /* mark dirty after use */
/* Sends all frames or none, without blocking; the frames are consumed when SH_OK.
 * Errors: SH_BUSY (high-water mark, or no peer), SH_NOTFOUND (ROUTER: unknown peer). */
SH_CHECK enum sh_err sh_zmq_socket_send(struct sh_zmq_socket *socket, zmq_msg_t *frames,
                                        size_t count);
void sh_zmq_socket_dirty(struct sh_zmq_socket *socket);
void sh_zmq_socket_close(struct sh_zmq_socket **socket);

#endif
