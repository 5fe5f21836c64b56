#include "libshared/src/rpc_socket.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "libshared/src/rpc_curve.h"

enum { FRAME_BYTES_MAX = 8 << 20 };

struct option {
    int name;
    int value;
};

/* Reasons are in docs/protocol.md, "Socket options". */
static const struct option common[] = {
    {ZMQ_SNDHWM, 256},
    {ZMQ_RCVHWM, 1000},
    {ZMQ_LINGER, 0},
    {ZMQ_HANDSHAKE_IVL, 1000},
    {ZMQ_TCP_KEEPALIVE, 1},
    {ZMQ_TCP_KEEPALIVE_IDLE, 5},
    {ZMQ_TCP_KEEPALIVE_INTVL, 2},
    {ZMQ_TCP_KEEPALIVE_CNT, 3},
    {ZMQ_IPV6, 1},
};
static const struct option router[] = {
    {ZMQ_ROUTER_MANDATORY, 1},
    {ZMQ_HEARTBEAT_IVL, 1000},
    {ZMQ_HEARTBEAT_TIMEOUT, 2000},
};
static const struct option dealer[] = {
    {ZMQ_IMMEDIATE, 1},       {ZMQ_CONNECT_TIMEOUT, 500},
    {ZMQ_RECONNECT_IVL, 100}, {ZMQ_RECONNECT_IVL_MAX, 2000},
    {ZMQ_HEARTBEAT_IVL, 500}, {ZMQ_HEARTBEAT_TIMEOUT, 1000},
};

static int set(void *socket, const struct option *options, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        failed |= zmq_setsockopt(socket, options[i].name, &options[i].value,
                                 sizeof(options[i].value));
    return failed;
}

static void *configured(struct sh_zmq_loop *zmq, int type, const struct option *options,
                        size_t count)
{
    int64_t frame_bytes = FRAME_BYTES_MAX;
    void *socket = sh_zmq_socket_new(zmq, type);
    if (!socket)
        return NULL;
    if (set(socket, common, SH_COUNT(common)) != 0 || set(socket, options, count) != 0 ||
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes, sizeof(frame_bytes)) != 0) {
        zmq_close(socket);
        return NULL;
    }
    return socket;
}

static enum sh_err hand_over(void *socket, enum sh_err err, void **out)
{
    if (err == SH_OK)
        *out = socket;
    else
        zmq_close(socket);
    return err;
}

enum sh_err rpc_socket_router(struct sh_zmq_loop *zmq, void **out)
{
    void *socket = configured(zmq, ZMQ_ROUTER, router, SH_COUNT(router));
    return socket ? hand_over(socket, rpc_curve_serve(socket), out) : SH_NOMEM;
}

enum sh_err rpc_socket_dealer(struct sh_zmq_loop *zmq, const char *service, size_t key,
                              void **out)
{
    void *socket = configured(zmq, ZMQ_DEALER, dealer, SH_COUNT(dealer));
    return socket ? hand_over(socket, rpc_curve_call(socket, service, key), out)
                  : SH_NOMEM;
}

enum sh_err rpc_socket_monitor(struct sh_zmq_loop *zmq, void *socket, int events,
                               const struct sh_zmq_handler *handler,
                               struct sh_zmq_socket **out)
{
    static atomic_uint_fast64_t names;
    char name[64];
    int linger_ms = 0;
    (void)snprintf(name, sizeof(name), "inproc://rpc-monitor-%" PRIuFAST64,
                   atomic_fetch_add(&names, 1));
    if (zmq_socket_monitor(socket, name, events) != 0)
        return SH_NOMEM;
    void *pair = sh_zmq_socket_new(zmq, ZMQ_PAIR);
    if (!pair)
        return SH_NOMEM;
    if (zmq_setsockopt(pair, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)) != 0 ||
        zmq_connect(pair, name) != 0) {
        zmq_close(pair);
        return SH_NOMEM;
    }
    return sh_zmq_socket_add(zmq, pair, handler, out);
}

/* [kind u16, value u32][endpoint] */
bool rpc_socket_event(zmq_msg_t *frames, struct rpc_event *out)
{
    const char *data = zmq_msg_data(&frames[0]);
    if (zmq_msg_size(&frames[0]) < sizeof(out->kind) + sizeof(out->value))
        return false;
    memcpy(&out->kind, data, sizeof(out->kind));
    memcpy(&out->value, data + sizeof(out->kind), sizeof(out->value));
    return true;
}

void rpc_socket_unwatch(struct sh_zmq_socket *socket, struct sh_zmq_socket **monitor)
{
    if (*monitor && socket)
        (void)zmq_socket_monitor(sh_zmq_socket_raw(socket), NULL, 0); /* cannot fail */
    sh_zmq_socket_close(monitor);
}
