#include "tests/unit/libshared/rpc_fixture.h"

static void a_request_is_answered(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    assert_int_equal(out.calls, 0); /* never from inside the send */
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    assert_string_equal(out.payload, "hello");
    free(out.payload);
}

static void the_caller_arrives(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    struct sh_trace trace = {.request_id = "req_1"};
    struct caller caller = {.user_id = sh_bytes_of("ada"), .clearance = 3};
    struct document_put_reply reply;
    struct sh_arena arena = {0};
    start(f, 1, 0);
    struct sh_rpc_request request = request_of(METHOD_NAME, SH_RPC_WRITE, PATIENCE_MS);
    request.caller = &caller;
    request.trace = &trace;
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    assert_int_equal(msg_decode(document_put_reply_desc(),
                                (struct sh_bytes){out.payload, out.len}, &arena, &reply),
                     SH_OK);
    assert_true(sh_bytes_is(reply.document_id, "server-0|ada|req_1|3|req_1"));
    free(out.payload);
}

static void an_error_bears_its_code_and_sentence(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    f->servers[0].fail_with = SH_CONFLICT;
    assert_int_equal(ask(f, METHOD_FAIL, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_CONFLICT);
    assert_string_equal(out.code, "told_to");
    assert_string_equal(out.message, "told to by the test");
    free(out.payload);
}

static void an_unknown_method_is_not_found(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    assert_int_equal(ask(f, 4711, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_NOTFOUND);
    assert_string_equal(out.code, "unknown_method");
    free(out.payload);
}

static void many_requests_are_answered_once_each(void **state)
{
    enum { MANY = 2000 };
    struct rpc_fixture *f = *state;
    struct outcome *out = calloc(MANY, sizeof(*out));
    start(f, 3, 0);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out[i]), SH_OK);
        PUMP(f, i < 500 || out[i - 500].calls == 1); /* 500 at a time */
    }
    for (size_t i = 0; i < MANY; i++) {
        PUMP(f, out[i].calls == 1);
        assert_int_equal(out[i].err, SH_OK);
        assert_string_equal(out[i].payload, "hello");
        free(out[i].payload);
    }
    for (size_t i = 0; i < 3; i++) /* the load is shared */
        assert_true(f->servers[i].calls > MANY / 10);
    free(out);
}

static void the_deadline_ends_a_request_and_cancels_the_work(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    uint64_t began = sh_now_ms();
    struct sh_rpc_request request = request_of(METHOD_HOLD, SH_RPC_READ, 100);
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_TIMEOUT);
    assert_true(sh_now_ms() - began >= 100);
    PUMP(f, f->servers[0].canceled == 1);
    assert_true(sh_rpc_call_canceled(f->servers[0].held[0]));
    held_answer(&f->servers[0]); /* dropped */
    pump_for(f, 50);
    assert_int_equal(out.calls, 1);
    free(out.payload);
}

static void a_cancelled_request_never_ends_and_cancels_the_work(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    uint64_t id = 0;
    start(f, 1, 0);
    struct sh_rpc_request request = request_of(METHOD_HOLD, SH_RPC_READ, PATIENCE_MS);
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, &id), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);
    sh_rpc_cancel(f->client, id);
    sh_rpc_cancel(f->client, id); /* harmless */
    PUMP(f, f->servers[0].canceled == 1);
    held_answer(&f->servers[0]);
    pump_for(f, 50);
    assert_int_equal(out.calls, 0);
}

static void closing_cancels_what_waits(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &out), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);
    sh_rpc_client_close(&f->client);
    assert_int_equal(out.calls, 1);
    assert_int_equal(out.err, SH_CANCELED);
    free(out.payload);
}

static void without_a_replica_the_answer_comes_at_once(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    connect_to(f, "tcp://127.0.0.1:1");
    /* At its start a caller waits for the first replica, though not for ever. */
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_UNAVAILABLE);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_UNAVAILABLE);
    assert_int_equal(out.calls, 1);
    free(out.payload);
}

static void a_request_may_come_before_the_first_replica(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    connect_to(f, sh_rpc_server_endpoint(f->servers[0].rpc));
    assert_int_equal(sh_rpc_client_ready(f->client), 0);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
}

static void endpoints_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "",     "tcp://",        "tcp://host",           "tcp://host:port",
        "ipc:", "udp://h:1",     "tcp://127.0.0.1:1,",   "tcp://127.0.0.1:1 tcp://h:2",
        "x",    "tcp://:123456", "tcp://localhost:1,,x",
    };
    struct rpc_fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        struct sh_rpc_client_options options = {.service = "test", .endpoints = bad[i]};
        assert_int_equal(sh_rpc_client_create(f->zmq, &options, &f->client), SH_INVALID);
        assert_null(f->client);
    }
}

static void a_path_serves_as_well(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    char directory[] = "/tmp/cairn-rpc-XXXXXX";
    char endpoint[64];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/rpc", directory);
    serve(f, 0, endpoint, 0);
    connect_to(f, endpoint);
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    sh_rpc_server_close(&f->servers[0].rpc);
    (void)unlink(endpoint + 6);
    (void)rmdir(directory);
    free(out.payload);
}

static void a_name_is_resolved(void **state)
{
    struct rpc_fixture *f = *state;
    char endpoint[64];
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    (void)snprintf(endpoint, sizeof(endpoint), "tcp://localhost%s",
                   strrchr(sh_rpc_server_endpoint(f->servers[0].rpc), ':'));
    connect_to(f, endpoint);
    PUMP(f, sh_rpc_client_ready(f->client) >= 1);
}

static void another_service_gets_no_work(void **state)
{
    struct rpc_fixture *f = *state;
    struct sh_rpc_client_options options = {.service = "other"};
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    options.endpoints = sh_rpc_server_endpoint(f->servers[0].rpc);
    assert_int_equal(sh_rpc_client_create(f->zmq, &options, &f->client), SH_OK);
    pump_for(f, 400);
    assert_int_equal(sh_rpc_client_ready(f->client), 0);
}

static void replicas_are_described(void **state)
{
    struct rpc_fixture *f = *state;
    struct sh_buffer json = {0};
    start(f, 2, 0);
    sh_buffer_text(&json, "[");
    sh_rpc_client_describe(f->client, &json);
    sh_buffer_text(&json, "]");
    sh_buffer_append(&json, "", 1);
    assert_non_null(strstr(json.data, "},{\"service\":\"test\""));
    assert_non_null(strstr(json.data, "\"state\":\"ready\",\"instance\":\"server-1\""));
    assert_true(f->changes >= 2);
    sh_buffer_free(&json);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_request_is_answered),
        T(the_caller_arrives),
        T(an_error_bears_its_code_and_sentence),
        T(an_unknown_method_is_not_found),
        T(many_requests_are_answered_once_each),
        T(the_deadline_ends_a_request_and_cancels_the_work),
        T(a_cancelled_request_never_ends_and_cancels_the_work),
        T(closing_cancels_what_waits),
        T(without_a_replica_the_answer_comes_at_once),
        T(a_request_may_come_before_the_first_replica),
        T(endpoints_that_are_none_are_refused),
        T(a_path_serves_as_well),
        T(a_name_is_resolved),
        T(another_service_gets_no_work),
        T(replicas_are_described),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
