/* rpc_raw: a peer of the bus that is made by hand, a message at a time. */
#ifndef TESTS_LIBSHARED_RPC_RAW_H
#define TESTS_LIBSHARED_RPC_RAW_H

#include "tests/unit/libshared/rpc_fixture.h"

/* A message as it came, or is to go. */
struct raw {
    struct envelope head;
    char identity[32];
    size_t identity_len;
    char meta[512];
    size_t meta_len;
    char payload[2048];
    size_t payload_len;
};

static inline size_t raw_take(void *socket, char *out, size_t size)
{
    int len = zmq_recv(socket, out, size, ZMQ_DONTWAIT);
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size;
}

static inline bool raw_more(void *socket)
{
    int value = 0;
    size_t size = sizeof(value);
    zmq_getsockopt(socket, ZMQ_RCVMORE, &value, &size);
    return value != 0;
}

/* False when nothing has come. */
static inline bool raw_receive(void *socket, bool router, struct raw *out)
{
    char header[ENVELOPE_BYTES + 1];
    int events = 0;
    size_t size = sizeof(events);
    zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
    if (!(events & ZMQ_POLLIN))
        return false;
    *out = (struct raw){0};
    if (router)
        out->identity_len = raw_take(socket, out->identity, sizeof(out->identity));
    size_t len = raw_take(socket, header, sizeof(header));
    assert_int_equal(envelope_read((struct sh_bytes){header, len}, &out->head), SH_OK);
    out->meta_len = raw_take(socket, out->meta, sizeof(out->meta));
    if (raw_more(socket))
        out->payload_len = raw_take(socket, out->payload, sizeof(out->payload));
    return true;
}

static inline void raw_transmit(void *socket, const struct raw *message)
{
    uint8_t header[ENVELOPE_BYTES];
    envelope_write(&message->head, header);
    if (message->identity_len > 0)
        zmq_send(socket, message->identity, message->identity_len, ZMQ_SNDMORE);
    zmq_send(socket, header, sizeof(header), ZMQ_SNDMORE);
    bool payload = message->payload_len > 0;
    zmq_send(socket, message->meta, message->meta_len, payload ? ZMQ_SNDMORE : 0);
    if (payload)
        zmq_send(socket, message->payload, message->payload_len, 0);
}

static inline void *raw_open(struct rpc_fixture *f, int type)
{
    int linger = 0;
    void *socket = sh_zmq_socket_new(f->zmq, type);
    assert_non_null(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
    return socket;
}

/* A caller of the first server, which is started. */
static inline void *raw_stranger(struct rpc_fixture *f)
{
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    void *socket = raw_open(f, ZMQ_DEALER);
    assert_int_equal(zmq_connect(socket, sh_rpc_server_endpoint(f->servers[0].rpc)), 0);
    return socket;
}

static inline struct raw raw_exchange(struct rpc_fixture *f, void *socket,
                                      const struct raw *message)
{
    struct raw answer;
    raw_transmit(socket, message);
    PUMP(f, raw_receive(socket, false, &answer));
    return answer;
}

#endif
