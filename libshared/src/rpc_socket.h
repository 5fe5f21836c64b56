/* rpc_socket: sockets with the options that the bus uses, one table for both sides. */
#ifndef LIBSHARED_RPC_SOCKET_H
#define LIBSHARED_RPC_SOCKET_H

#include "shared/zmq_loop.h"

/* NULL when out of memory or sockets. */
void *rpc_socket_router(struct sh_zmq_loop *zmq);
void *rpc_socket_dealer(struct sh_zmq_loop *zmq);

#endif
