/* rpc_fake: a replica of a service that is made by hand. */
#ifndef TESTS_LIBSHARED_RPC_FAKE_H
#define TESTS_LIBSHARED_RPC_FAKE_H

#include "tests/unit/libshared/rpc_raw.h"

struct fake {
    void *socket;
    char endpoint[128];
    bool deaf;               /* PINGs stay unanswered */
    uint32_t late_ms;        /* so long after each PING its answer goes */
    struct raw pong;         /* that waits for its time */
    uint64_t pong_ms;        /* which is then; 0: none waits */
    uint32_t oldest, newest; /* versions that it speaks; 0: ours */
    size_t pings;
    size_t hellos;
    struct raw request; /* the last one */
    size_t requests;
};

static inline void open_fake(struct rpc_fixture *f, struct fake *fake)
{
    size_t size = sizeof(fake->endpoint);
    fake->socket = raw_open(f, ZMQ_ROUTER);
    assert_int_equal(zmq_bind(fake->socket, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(fake->socket, ZMQ_LAST_ENDPOINT, fake->endpoint, &size);
}

static inline void acknowledge(struct fake *fake, const struct raw *hello)
{
    struct hello meta = {.service = sh_bytes_of("test"),
                         .version_min = fake->oldest ? fake->oldest : ENVELOPE_VERSION,
                         .version_max = fake->newest ? fake->newest : ENVELOPE_VERSION};
    struct sh_buffer bytes = {0};
    struct raw ack = *hello;
    ack.head.type = TYPE_HELLO_ACK;
    ack.head.credit = 100;
    assert_int_equal(msg_encode(hello_desc(), &meta, &bytes), SH_OK);
    memcpy(ack.meta, bytes.data, bytes.len);
    ack.meta_len = bytes.len;
    ack.payload_len = 0;
    raw_transmit(fake->socket, &ack);
    sh_buffer_free(&bytes);
}

static inline void answer_ping(struct fake *fake)
{
    if (fake->pong_ms == 0 || sh_now_ms() < fake->pong_ms)
        return;
    fake->pong_ms = 0;
    fake->pong.head.type = TYPE_PONG;
    fake->pong.head.credit = 100;
    raw_transmit(fake->socket, &fake->pong);
}

/* What came meanwhile, as a replica would answer it; requests are only kept. */
static inline bool play(struct fake *fake)
{
    struct raw message;
    while (raw_receive(fake->socket, true, &message)) {
        if (message.head.type == TYPE_HELLO) {
            fake->hellos++;
            acknowledge(fake, &message);
        } else if (message.head.type == TYPE_PING) {
            fake->pings++;
            fake->pong = message;
            fake->pong_ms = fake->deaf ? 0 : message.head.sequence + fake->late_ms;
        } else if (message.head.type == TYPE_REQUEST) {
            fake->request = message;
            fake->requests++;
        }
        answer_ping(fake);
    }
    answer_ping(fake);
    return true;
}

static inline void answer_request(struct fake *fake, uint64_t epoch, const char *text)
{
    struct raw reply = fake->request;
    reply.head.type = TYPE_REPLY;
    reply.head.epoch = epoch;
    reply.head.credit = 100;
    reply.meta_len = 0;
    reply.payload_len = strlen(text);
    memcpy(reply.payload, text, reply.payload_len);
    raw_transmit(fake->socket, &reply);
}

static inline void fail_request(struct fake *fake)
{
    struct raw reply = fake->request;
    reply.head.type = TYPE_ERROR;
    reply.head.status = STATUS_INTERNAL;
    reply.head.credit = 100;
    reply.meta_len = 0;
    reply.payload_len = 0;
    raw_transmit(fake->socket, &reply);
}

#endif
