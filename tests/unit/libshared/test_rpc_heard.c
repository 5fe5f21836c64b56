/* Answers that wait until all callers have heard of the state after them. */
#include "tests/unit/libshared/rpc_raw.h"

enum { METHOD_CHANGE = 9 };

/* A change, told when all have heard of it. */
static void on_change(void *arg, struct sh_rpc_call *call)
{
    struct peer_server *server = arg;
    const struct document_put_reply reply = {.visible = true};
    sh_rpc_server_set_state(server->rpc, 100 + ++server->calls);
    sh_rpc_reply_when_heard(call, document_put_reply_desc(), &reply);
}

static void *serve_change(struct rpc_fixture *f)
{
    void *socket = raw_stranger(f);
    struct peer_server *server = &f->servers[0];
    assert_int_equal(
        sh_rpc_server_add(server->rpc, METHOD_CHANGE, "change", 0, on_change, server),
        SH_OK);
    connect_to(f, sh_rpc_server_endpoint(server->rpc));
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    return socket;
}

static void greet(struct rpc_fixture *f, void *socket, bool tells)
{
    struct raw hello = {.head = {.type = TYPE_HELLO, .epoch = 1}};
    if (tells)
        envelope_set_state(&hello.head, 0, 0);
    assert_int_equal(raw_exchange(f, socket, &hello).head.type, TYPE_HELLO_ACK);
}

static void change(struct rpc_fixture *f, struct outcome *out)
{
    assert_int_equal(ask(f, METHOD_CHANGE, SH_RPC_WRITE, out), SH_OK);
}

/* The next PONG that came unasked. */
static struct raw pong(struct rpc_fixture *f, void *socket)
{
    struct raw message;
    PUMP(f, raw_receive(socket, false, &message));
    assert_int_equal(message.head.type, TYPE_PONG);
    return message;
}

static void who_has_not_heard_is_waited_for(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    uint64_t changes = 0, value = 0;
    void *socket = serve_change(f);
    greet(f, socket, true);
    change(f, &out);
    assert_int_equal(pong(f, socket).head.flags & ENVELOPE_TELL, 0); /* the state */
    struct raw told = pong(f, socket);
    assert_true((told.head.flags & ENVELOPE_TELL) != 0);
    assert_true(envelope_state(&told.head, &changes, &value) && value == 101);
    assert_int_equal(out.calls, 0);
    struct raw ping = {.head = {.type = TYPE_PING, .epoch = 1}};
    envelope_set_state(&ping.head, changes, 0);
    raw_transmit(socket, &ping);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
    zmq_close(socket);
}

static void silence_holds_nobody_up_for_ever(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome first = {0}, second = {0};
    void *socket = serve_change(f);
    greet(f, socket, true);
    change(f, &first);
    PUMP(f, f->servers[0].calls == 1);
    assert_int_equal(first.calls, 0);
    change(f, &second);
    PUMP(f, first.calls == 1 && second.calls == 1);
    assert_int_equal(first.err, SH_OK);
    assert_int_equal(second.err, SH_OK);
    free(first.payload);
    free(second.payload);
    zmq_close(socket);
}

/* A change that waits for the caller whose socket this gives; it was asked. */
static void *hold_change(struct rpc_fixture *f, struct outcome *out)
{
    void *socket = serve_change(f);
    greet(f, socket, true);
    change(f, out);
    (void)pong(f, socket);
    assert_int_equal(out->calls, 0);
    return socket;
}

static void who_leaves_is_not_waited_for(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    void *socket = hold_change(f, &out);
    raw_transmit(socket, &(struct raw){.head = {.type = TYPE_BYE, .epoch = 1}});
    PUMP(f, out.calls == 1);
    free(out.payload);
    zmq_close(socket);
}

/* As callers of the version before. */
static void who_never_tells_is_not_waited_for(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    struct raw message;
    void *socket = serve_change(f);
    greet(f, socket, false);
    change(f, &out);
    PUMP(f, out.calls == 1);
    assert_int_equal(pong(f, socket).head.flags & ENVELOPE_TELL, 0);
    assert_false(raw_receive(socket, false, &message));
    free(out.payload);
    zmq_close(socket);
}

/* What is held is dropped with the server, and its caller hears of it. */
static void a_server_may_close_meanwhile(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    void *socket = hold_change(f, &out);
    sh_rpc_server_close(&f->servers[0].rpc);
    PUMP(f, out.calls == 1);
    assert_int_not_equal(out.err, SH_OK);
    free(out.payload);
    zmq_close(socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_not_heard_is_waited_for, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(silence_holds_nobody_up_for_ever, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_not_waited_for, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_never_tells_is_not_waited_for, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_server_may_close_meanwhile, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests_name("rpc_heard", tests, NULL, NULL);
}
