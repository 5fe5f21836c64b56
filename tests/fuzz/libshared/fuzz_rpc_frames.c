/* What a caller may say on the bus: the input is a conversation, each part of which makes
 * the frames of one message, good ones and spoilt ones, for a server of three methods.
 * Its answers go to a connected DEALER. Whatever was said, nothing is left once the
 * caller has taken its leave. */
#include <stdio.h>
#include <stdlib.h>

#include "libshared/src/rpc_serving.h"
#include "shared/log.h"

enum { HELD_MAX = 8, BIG = 3 << 20, PARTS_MAX = 64 };
enum { METHOD_OF_ECHO = 1, METHOD_OF_HOLD, METHOD_OF_BIG, METHOD_OF_DECODE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char caller_id[RPC_IDENTITY_BYTES] = {'p', 'e', 'e', 'r', '1'};

struct world {
    uv_loop_t loop;
    struct sh_zmq_loop *zmq;
    struct sh_rpc_server *server;
    void *dealer;
    struct sh_rpc_call *held[HELD_MAX];
    size_t held_count;
};

struct source {
    const uint8_t *at;
    size_t left;
};

/* --- the server ------------------------------------------------------------------- */

static void echo(void *arg, struct sh_rpc_call *call)
{
    (void)arg;
    sh_rpc_reply_raw(call, NULL, NULL, sh_rpc_call_payload(call));
}

static void hold(void *arg, struct sh_rpc_call *call)
{
    struct world *world = arg;
    if (world->held_count == HELD_MAX)
        sh_rpc_fail(call, SH_BUSY, NULL, NULL, "too many");
    else
        world->held[world->held_count++] = call;
}

static void answer_big(void *arg, struct sh_rpc_call *call)
{
    static char room[BIG];
    (void)arg;
    sh_rpc_reply_raw(call, NULL, NULL, (struct sh_bytes){room, sizeof(room)});
}

static void decode(void *arg, struct sh_rpc_call *call)
{
    struct hello hello;
    (void)arg;
    if (sh_rpc_call_decode(call, hello_desc(), &hello) == SH_OK)
        sh_rpc_reply(call, hello_desc(), &hello);
}

static void answer_held(struct world *world)
{
    while (world->held_count > 0)
        sh_rpc_fail(world->held[--world->held_count], SH_NOTFOUND, NULL, NULL, "gone");
}

static void connect_dealer(struct world *world)
{
    int linger = 0;
    world->dealer = sh_zmq_socket_new(world->zmq, ZMQ_DEALER);
    if (!world->dealer ||
        zmq_setsockopt(world->dealer, ZMQ_ROUTING_ID, caller_id, sizeof(caller_id)) ||
        zmq_setsockopt(world->dealer, ZMQ_LINGER, &linger, sizeof(linger)) ||
        zmq_connect(world->dealer, "inproc://fuzz") ||
        zmq_send(world->dealer, "", 0, 0) != 0) /* dropped; it makes the ROUTER see us */
        abort();
    for (int i = 0; i < 100; i++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

static struct world *make_world(void)
{
    static struct world world;
    struct sh_rpc_server_options options = {
        .service = "fuzz", .bind = "inproc://fuzz", .instance = "i", .max_in_flight = 16};
    if (world.server)
        return &world;
    sh_log_set_level(SH_CRITICAL);
    if (uv_loop_init(&world.loop) != 0 ||
        sh_zmq_loop_create(&world.loop, &world.zmq) != SH_OK ||
        sh_rpc_server_create(world.zmq, &options, &world.server) != SH_OK ||
        sh_rpc_server_add(world.server, METHOD_OF_ECHO, "echo", 0, echo, NULL) != SH_OK ||
        sh_rpc_server_add(world.server, METHOD_OF_HOLD, "hold", BIG, hold, &world) !=
            SH_OK ||
        sh_rpc_server_add(world.server, METHOD_OF_BIG, "big", 0, answer_big, NULL) !=
            SH_OK ||
        sh_rpc_server_add(world.server, METHOD_OF_DECODE, "decode", 0, decode, NULL) !=
            SH_OK)
        abort();
    connect_dealer(&world);
    return &world;
}

/* --- what is said ----------------------------------------------------------------- */

static uint8_t take(struct source *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static struct sh_bytes take_bytes(struct source *in, size_t len)
{
    if (len > in->left)
        len = in->left;
    struct sh_bytes bytes = {in->at, len};
    in->at += len;
    in->left -= len;
    return bytes;
}

static void set_frame(zmq_msg_t *frame, struct sh_bytes bytes)
{
    if (zmq_msg_init_size(frame, bytes.len) != 0)
        abort();
    if (bytes.len > 0)
        memcpy(zmq_msg_data(frame), bytes.data, bytes.len);
}

/* Of the sizes that matter, not of as many bytes of input. */
static uint32_t take_size(struct source *in)
{
    static const uint32_t sizes[] = {0,
                                     1,
                                     ENVELOPE_CHUNK_BYTES - 1,
                                     ENVELOPE_CHUNK_BYTES,
                                     300000,
                                     ENVELOPE_PAYLOAD_MAX,
                                     ENVELOPE_PAYLOAD_MAX + 1,
                                     2 << 20,
                                     UINT32_MAX};
    uint8_t byte = take(in);
    return byte < 128 ? byte : sizes[byte % SH_COUNT(sizes)];
}

static void set_payload(zmq_msg_t *frame, struct source *in)
{
    uint32_t size = take_size(in);
    if (size > 2 * ENVELOPE_PAYLOAD_MAX)
        size = 0;
    if (zmq_msg_init_size(frame, size) != 0)
        abort();
    memset(zmq_msg_data(frame), 0xc0, size);
    struct sh_bytes front = take_bytes(in, size < 128 ? size : 16);
    if (front.len > 0)
        memcpy(zmq_msg_data(frame), front.data, front.len);
}

static void set_header(zmq_msg_t *frame, struct source *in, uint8_t how)
{
    uint8_t wire[ENVELOPE_BYTES];
    struct envelope head = {.version = ENVELOPE_VERSION, .type = how % 14};
    head.flags = take(in);
    head.sequence = take(in) % 4;
    head.attempt = take(in) % 2;
    head.method = take(in) % 6;
    head.budget_ms = how & 0x40 ? 0 : 100000;
    head.credit = take(in);
    head.payload_bytes = take_size(in);
    envelope_write(&head, wire);
    if (how & 0x80) { /* spoilt */
        uint8_t at = take(in);
        wire[at % ENVELOPE_BYTES] = take(in);
    }
    set_frame(frame, (struct sh_bytes){wire, sizeof(wire)});
}

/* One part: its frames, handed to the server as the socket would. */
static void say(struct world *world, struct source *in)
{
    zmq_msg_t frames[SH_ZMQ_FRAMES_MAX];
    uint8_t how = take(in);
    uint8_t shape = take(in);
    size_t count = shape < 224 ? (size_t)(3 + shape % 2) : shape % SH_ZMQ_FRAMES_MAX + 1u;
    for (size_t i = 0; i < count; i++) {
        if (i == 0)
            set_frame(&frames[i], (struct sh_bytes){caller_id, sizeof(caller_id)});
        else if (i == 1)
            set_header(&frames[i], in, how);
        else if (i == 2)
            set_frame(&frames[i], take_bytes(in, shape & 2 ? take(in) : 0));
        else
            set_payload(&frames[i], in);
    }
    rpc_server_on_message(world->server, frames, count);
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
}

static void hear_all(struct world *world)
{
    char byte;
    while (zmq_recv(world->dealer, &byte, sizeof(byte), ZMQ_DONTWAIT) >= 0)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *world = make_world();
    struct source in = {data, size};
    struct rpc_identity caller;
    memcpy(caller.bytes, caller_id, sizeof(caller_id));
    if (rpc_peers_add(&world->server->peers, &caller, &(struct rpc_key){{0}}, 0) != SH_OK)
        abort();
    for (int part = 0; part < PARTS_MAX && in.left > 0; part++) {
        say(world, &in);
        if (take(&in) & 1)
            answer_held(world);
        hear_all(world);
    }
    rpc_server_peer_gone(world->server, &caller);
    answer_held(world);
    if (world->server->in_flight != 0 || world->server->assembling_bytes != 0 ||
        world->server->calls || world->server->peers.count != 0)
        abort();
    uv_run(&world->loop, UV_RUN_NOWAIT);
    hear_all(world);
    return 0;
}
