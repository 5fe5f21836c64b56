/* Callers whose messages have no last frame: a raw connection that speaks ZMTP 3.0
 * (https://rfc.zeromq.org/spec/23/) by hand, since libzmq sends nothing before it has
 * all. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libshared/src/rpc_unfinished.h"
#include "shared/buffer.h"
#include "shared/metrics.h"
#include "tests/unit/libshared/rpc_fixture.h"

enum {
    GREETING = 64,
    ZMTP_MORE = 1,
    ZMTP_LONG = 2,
    ZMTP_COMMAND = 4,
    PART = 1 << 20,
    SENT_MOST = 2000, /* parts, until it must have been cut off */
};

struct raw_peer {
    int fd;
    size_t parts;
    struct sh_buffer part; /* what is sent again and again */
    size_t at;
};

static void send_all(const struct raw_peer *peer, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(peer->fd, at, len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        at += sent;
        len -= (size_t)sent;
    }
}

static void add_frame(struct sh_buffer *out, uint8_t flags, struct sh_bytes body)
{
    uint8_t head[9] = {(uint8_t)(flags | ZMTP_LONG)};
    for (int i = 0; i < 8; i++)
        head[8 - i] = (uint8_t)((uint64_t)body.len >> (8 * i));
    sh_buffer_append(out, head, sizeof(head));
    sh_buffer_append(out, body.data, body.len);
}

static struct raw_peer open_peer(const char *endpoint)
{
    static const char ready[] = "\x05READY\x0bSocket-Type\0\0\0\x06"
                                "DEALER";
    static const uint8_t greeting[GREETING] = {
        [0] = 0xff, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L'};
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10))};
    struct raw_peer peer = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sh_buffer command = {0};
    char answer[GREETING];
    assert_int_equal(connect(peer.fd, (struct sockaddr *)&to, sizeof(to)), 0);
    send_all(&peer, greeting, sizeof(greeting));
    add_frame(&command, ZMTP_COMMAND, (struct sh_bytes){ready, sizeof(ready) - 1});
    send_all(&peer, command.data, command.len);
    sh_buffer_free(&command);
    assert_int_equal(recv(peer.fd, answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
    assert_true(recv(peer.fd, answer, 8, MSG_WAITALL) == 8); /* READY: it is let in */
    char *text = calloc(1, PART);
    assert_non_null(text);
    add_frame(&peer.part, ZMTP_MORE, (struct sh_bytes){text, PART});
    free(text);
    assert_int_equal(fcntl(peer.fd, F_SETFL, O_NONBLOCK), 0);
    return peer;
}

static void close_peer(struct raw_peer *peer)
{
    sh_buffer_free(&peer->part);
    close(peer->fd);
}

static void greet(const struct raw_peer *peer)
{
    struct envelope head = {.type = TYPE_HELLO, .epoch = 1};
    uint8_t bytes[ENVELOPE_BYTES];
    struct sh_buffer message = {0};
    envelope_write(&head, bytes);
    add_frame(&message, ZMTP_MORE, (struct sh_bytes){bytes, sizeof(bytes)});
    add_frame(&message, 0, (struct sh_bytes){"", 0});
    send_all(peer, message.data, message.len);
    sh_buffer_free(&message);
}

/* As much as the line takes now; true when the other side has closed it. */
static bool was_cut_off(struct raw_peer *peer)
{
    for (;;) {
        ssize_t sent = send(peer->fd, peer->part.data + peer->at,
                            peer->part.len - peer->at, MSG_NOSIGNAL);
        if (sent < 0)
            return errno != EAGAIN;
        peer->at += (size_t)sent;
        if (peer->at < peer->part.len)
            continue;
        peer->at = 0;
        assert_true(++peer->parts < SENT_MOST);
        return false; /* let the loop turn */
    }
}

static bool counted(const char *reason)
{
    struct sh_buffer page = {0};
    char line[128];
    (void)snprintf(line, sizeof(line), "cairn_rpc_refused_peers_total{reason=\"%s\"}",
                   reason);
    sh_metrics_render(&page, false);
    sh_buffer_append(&page, "", 1);
    bool found = strstr(page.data, line) != NULL;
    sh_buffer_free(&page);
    return found;
}

static void expect_answer(struct rpc_fixture *f)
{
    struct outcome out = {0};
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
}

static void a_message_without_end_is_cut_off(void **state)
{
    struct rpc_fixture *f = *state;
    start(f, 1, 0);
    struct raw_peer peer = open_peer(sh_rpc_server_endpoint(f->servers[0].rpc));
    PUMP(f, was_cut_off(&peer) || (expect_answer(f), false));
    assert_true(peer.parts > RPC_UNFINISHED_BYTES_MAX / PART / 2);
    expect_answer(f);
    assert_true(counted("endless_message"));
    close_peer(&peer);
}

static void whoever_said_hello_is_no_exception(void **state)
{
    struct rpc_fixture *f = *state;
    start(f, 1, 0);
    struct raw_peer peer = open_peer(sh_rpc_server_endpoint(f->servers[0].rpc));
    greet(&peer);
    struct pollfd heard = {.fd = peer.fd, .events = POLLIN};
    PUMP(f, poll(&heard, 1, 0) == 1);
    PUMP(f, was_cut_off(&peer));
    expect_answer(f);
    close_peer(&peer);
}

/* Of all that it sends only the parts of one message count. */
static void whole_messages_may_go_on_for_ever(void **state)
{
    enum { TIMES = 10, SIZE = 7 << 20 };
    struct rpc_fixture *f = *state;
    start(f, 1, 0);
    size_t changes = (size_t)f->changes;
    char *large = calloc(1, SIZE);
    assert_non_null(large);
    for (int i = 0; i < TIMES; i++) {
        struct outcome out = {0};
        struct sh_rpc_request request = request_of(METHOD_BIG, SH_RPC_READ, PATIENCE_MS);
        request.payload = (struct sh_bytes){large, SIZE};
        assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
        PUMP(f, out.calls == 1);
        assert_int_equal(out.err, SH_OK);
        free(out.payload);
    }
    pump_for(f, (uint64_t)RPC_UNFINISHED_CHECK_MS * 3);
    assert_int_equal(f->changes, changes); /* never lost */
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_without_end_is_cut_off, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(whoever_said_hello_is_no_exception,
                                        fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(whole_messages_may_go_on_for_ever, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
