/* rpc_unfinished: what each connection of a ROUTER has sent since its last whole message.
 * libzmq bounds a frame (ZMQ_MAXMSGSIZE) but not the frames of a message: it keeps them
 * all until the last is there. A connection that goes on is cut off. TCP only, whose
 * bytes the kernel counts; who may open a socket in the file system is of our own user.
 * Loop thread only. */
#ifndef LIBSHARED_RPC_UNFINISHED_H
#define LIBSHARED_RPC_UNFINISHED_H

#include "libshared/src/rpc_peers.h"

enum {
    RPC_UNFINISHED_BYTES_MAX = 32 << 20, /* a message of ours has less than 10 MB */
    RPC_UNFINISHED_CHECK_MS = 50,
};

struct rpc_unfinished { /* {0} is empty */
    struct rpc_connection *connections;
    uint16_t port; /* ours; 0: nothing is watched */
};

/* Where the ROUTER is bound: tcp://host:port, or anything else. */
void rpc_unfinished_start(struct rpc_unfinished *unfinished, const char *endpoint);
/* A connection of this descriptor came in. SH_NOMEM leaves it without a watch. */
SH_CHECK enum sh_err rpc_unfinished_accepted(struct rpc_unfinished *unfinished, int fd);
/* Who speaks over it said so: messages of that peer count as its own. */
void rpc_unfinished_hello(struct rpc_unfinished *unfinished, int fd,
                          const struct rpc_identity *identity);
/* Every RPC_UNFINISHED_CHECK_MS: cuts off who is over the bound twice in a row without
 * a message of `peers` in between. */
void rpc_unfinished_check(struct rpc_unfinished *unfinished,
                          const struct rpc_peers *peers);
void rpc_unfinished_free(struct rpc_unfinished *unfinished);

#endif
