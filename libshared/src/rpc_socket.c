#include "libshared/src/rpc_socket.h"

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

void *rpc_socket_router(struct sh_zmq_loop *zmq)
{
    return configured(zmq, ZMQ_ROUTER, router, SH_COUNT(router));
}

void *rpc_socket_dealer(struct sh_zmq_loop *zmq)
{
    return configured(zmq, ZMQ_DEALER, dealer, SH_COUNT(dealer));
}
