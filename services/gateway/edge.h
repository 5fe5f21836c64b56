/* edge: one event loop of the gateway, with everything a request needs on it: a listener
 * that shares the port, a client for each service, connections to Redis and PostgreSQL.
 * Nothing here is seen by another thread. */
#ifndef GATEWAY_EDGE_H
#define GATEWAY_EDGE_H

#include <uv.h>

#include "services/gateway/gateway.h"
#include "services/gateway/limits/limits.h"
#include "services/gateway/meter.h"
#include "shared/file_store.h"
#include "shared/http_server.h"
#include "shared/pg.h"
#include "shared/redis.h"
#include "shared/rpc_client.h"
#include "shared/workers.h"

enum peer { PEER_SEARCH, PEER_EMBEDDER, PEER_GRAPH, PEER_BACKUP, PEER_COUNT };
const char *peer_name(enum peer peer);

struct edge {
    struct gateway *gateway;
    uv_loop_t *loop;
    struct sh_zmq_loop *zmq;
    struct sh_rpc_client *peers[PEER_COUNT];
    struct sh_redis *redis;
    struct flights *flights; /* searches under way; NULL: the gateway keeps no answers */
    struct sh_pg *pg;
    struct sh_file_store *files; /* originals of documents */
    struct sh_workers *workers;  /* for passwords: what takes tens of milliseconds */
    struct auth_edge *auth;      /* credentials that were checked a moment ago */
    struct limits_edge limits;
    struct sh_http_server *server;
    struct sh_http_server *plain; /* beside TLS_PORT: sends browsers there; or NULL */
    struct bolt *bolt;            /* NULL: BOLT_PORT is 0 */
    struct exchange *spare;       /* exchanges to use again */
    struct bodies *bodies;        /* that were read before; NULL: none are kept */
    struct meter *meters;         /* one a route, and one for unknown paths */
    struct sh_buffer out;   /* the answer being written; every answer is copied out */
    struct sh_buffer frame; /* the message being encoded; copied too */
};

/* `loop` and `zmq` stay the caller's. `first` NULL: this is the first edge, which listens
 * where the settings say and keeps the gateway's health checks current; the others take
 * the ports that it got. Errors: SH_NOMEM, SH_INVALID, SH_IO; nothing is left behind. */
SH_CHECK enum sh_err edge_open(struct edge *edge, struct gateway *gateway,
                               uv_loop_t *loop, struct sh_zmq_loop *zmq,
                               const struct edge *first);
/* Called when the number of ready search replicas changes. */
void edge_on_change(struct edge *edge, void (*changed)(void *arg), void *arg);
bool edge_ready(const struct edge *edge);
/* Ends connections and clients at once; their handles close on later loop turns. */
void edge_close(struct edge *edge);

#endif
