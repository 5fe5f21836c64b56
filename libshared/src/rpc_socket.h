/* rpc_socket: sockets with the options that the bus uses, one table for both sides. */
#ifndef LIBSHARED_RPC_SOCKET_H
#define LIBSHARED_RPC_SOCKET_H

#include "shared/zmq_loop.h"

/* With CURVE when the process has keys. Errors: SH_NOMEM (memory or sockets), and those
 * of rpc_curve_serve() and rpc_curve_call(). */
SH_CHECK enum sh_err rpc_socket_router(struct sh_zmq_loop *zmq, void **out);
SH_CHECK enum sh_err rpc_socket_dealer(struct sh_zmq_loop *zmq, const char *service,
                                       size_t key, void **out);
struct rpc_event {
    uint16_t kind;  /* ZMQ_EVENT_… */
    uint32_t value; /* what it is hangs on the kind: a descriptor, an error */
};

/* Events of a socket, to be read by rpc_socket_event(). Ended by rpc_socket_unwatch(). */
SH_CHECK enum sh_err rpc_socket_monitor(struct sh_zmq_loop *zmq, void *socket, int events,
                                        const struct sh_zmq_handler *handler,
                                        struct sh_zmq_socket **out);
/* False when the message of a monitor is none. */
bool rpc_socket_event(zmq_msg_t *frames, struct rpc_event *out);
/* Before the socket itself is closed: an event that cannot be sent is leaked by libzmq.
 * Either may be NULL. */
void rpc_socket_unwatch(struct sh_zmq_socket *socket, struct sh_zmq_socket **monitor);

#endif
