/* rpc_curve: CURVE on the sockets of the bus, by the process's ring of keys, and the gate
 * that libzmq asks about every caller (ZAP, https://rfc.zeromq.org/spec/27/). Without a
 * gate libzmq completes every handshake; who was not let in by one is then refused at
 * HELLO, since no key comes with its messages. Any thread, but for the gate. */
#ifndef LIBSHARED_RPC_CURVE_H
#define LIBSHARED_RPC_CURVE_H

#include "libshared/src/rpc_keys.h"
#include "libshared/src/rpc_socket.h"

/* The endpoint is TCP and not surely on this machine. */
bool rpc_curve_exposed(const char *endpoint);
/* Any of a list, separated by commas, must not be spoken to: it is exposed, there are no
 * keys, and plain TCP is refused. */
bool rpc_curve_refuses(const char *endpoints);

/* Before bind or connect. Without keys they change nothing. Errors: SH_INVALID (libzmq
 * was built without CURVE), SH_NOTFOUND (no public key of the service). */
SH_CHECK enum sh_err rpc_curve_serve(void *router);
/* With one of the service's public keys; `key` counts round through them. */
SH_CHECK enum sh_err rpc_curve_call(void *dealer, const char *service, size_t key);
/* The key of who sent this message; zero without keys. */
struct rpc_key rpc_curve_sender(zmq_msg_t *frame);
/* Whether its holder may call us still: the ring may have changed since the handshake.
 * True without keys. */
bool rpc_curve_admits(const struct rpc_key *key);

/* A peer was turned away: cairn_rpc_refused_peers_total, and a line in the log. `reason`
 * must be a literal, `address` may be "". */
void rpc_curve_refused(const char *reason, const char *address);
/* The same of an event of a ROUTER's monitor, one of RPC_CURVE_FAILURES. */
enum {
    RPC_CURVE_FAILURES =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
};
void rpc_curve_failed(const struct rpc_event *event, const char *endpoint);

/* Answers libzmq from the loop's thread: one gate a process, opened before the first
 * socket is bound. Errors: SH_CONFLICT (there is one), SH_NOMEM. */
struct rpc_gate;
SH_CHECK enum sh_err rpc_gate_open(struct sh_zmq_loop *zmq, struct rpc_gate **out);
void rpc_gate_close(struct rpc_gate **gate);

#endif
