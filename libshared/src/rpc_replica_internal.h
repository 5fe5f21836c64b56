/* What the files of rpc_replica share. */
#ifndef LIBSHARED_RPC_REPLICA_INTERNAL_H
#define LIBSHARED_RPC_REPLICA_INTERNAL_H

#include "libshared/src/rpc_replica.h"

/* A PONG that took as long came late. */
enum { RPC_LATE_PONG_MS = RPC_SLOW_FLOOR_US / 1000 };

/* Tells of the change. */
void rpc_replica_move_to(struct rpc_replica *replica, enum rpc_replica_state state);
/* The connection goes; a new one comes at a later tick. */
void rpc_replica_lose(struct rpc_replica *replica);
/* HELLO or PING; what is lost is said again at the next tick. Errors: as
 * sh_zmq_socket_send(). */
enum sh_err rpc_replica_send(struct rpc_replica *replica, uint8_t type,
                             struct sh_bytes meta);

/* Counts the one before as missed if it has had no answer. */
void rpc_replica_ping(struct rpc_replica *replica, uint64_t now_ms);
void rpc_replica_on_pong(struct rpc_replica *replica, const struct envelope *head);

#endif
