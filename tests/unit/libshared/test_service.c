/* A service from its start to its end: stages, the operators' port, draining, the bus. */
#include "service_fixture.h"

static void ops_port_answers_and_term_ends_it(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){0});
    static const char *const good[] = {
        "/livez",  "/health/live", "/health/liveness", "/readyz",         "/health/ready",
        "/health", "/health/ping", "/metrics",         "/health/metrics", "/peers"};
    for (size_t i = 0; i < SH_COUNT(good); i++)
        assert_status(get(port, good[i]), OK);
    assert_has(get(port, "/health/ping"), "{\"status\":\"ok\",\"message\":\"pong\"}");
    assert_has(get(port, "/health"), "\"service\":{\"healthy\":true");
    assert_has(get(port, "/peers"), "[{\"service\":\"nobody\"");
    finish(f);
    assert_has(f->text, "\"message\":\"cairn-subject starting...\"");
    assert_has(f->text,
               "\"version\":\"" CAIRN_VERSION "\",\"environment\":\"development\"");
    assert_has(f->text, "\"message\":\"OPS_PORT=0\"");
    assert_order(f->text, "first starts", "second starts");
    assert_order(f->text, "second stops", "first stops");
    assert_null(strstr(f->text, "left open"));
}

static void metrics_come_in_both_formats(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){0});
    const char *text = get(port, "/metrics");
    assert_has(text, "text/plain; version=0.0.4");
    assert_has(text,
               "cairn_build_info{service=\"subject\",version=\"" CAIRN_VERSION "\"} 1");
    assert_has(text, "# TYPE cairn_subject_event_loop_lag_seconds histogram\n");
    text = ask(port, "GET /metrics", "Accept: application/openmetrics-text;q=0.9\r\n");
    assert_has(text, "Content-Type: application/openmetrics-text; version=1.0.0");
    assert_has(text, "# EOF\n");
    finish(f);
}

static void anything_else_is_refused_as_a_problem(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){0});
    const char *answer = get(port, "/nowhere");
    assert_status(answer, "HTTP/1.1 404 ");
    assert_has(answer, "application/problem+json");
    answer = ask(port, "POST /livez", "Content-Length: 0\r\n");
    assert_status(answer, "HTTP/1.1 405 ");
    assert_has(answer, "Allow: GET, HEAD\r\n");
    assert_status(ask(port, "HEAD /livez", ""), OK);
    finish(f);
}

static void draining_waits_for_what_is_held(void **state)
{
    struct fixture *f = *state;
    (void)start(f, (struct subject){.holding = true, .quick = true});
    finish(f);
    assert_order(f->text, "first drains", "first is at rest");
    assert_order(f->text, "first is at rest", "second stops");
}

static void draining_is_not_ready_but_alive_until_told_again(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){.holding = true});
    assert_int_equal(kill(f->pid, SIGINT), 0);
    (void)wait_for(f, "first drains");
    assert_status(get(port, "/readyz"), UNAVAILABLE);
    assert_status(get(port, "/livez"), OK);
    assert_status(get(port, "/health"), UNAVAILABLE);
    finish(f);
    assert_has(f->text, "told again to stop");
    assert_has(f->text, "first stops");
}

static void grace_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    setenv("SHUTDOWN_GRACE_SECONDS", "0", 1);
    (void)start(f, (struct subject){.holding = true});
    finish(f);
    assert_has(f->text, "work was left after SHUTDOWN_GRACE_SECONDS");
}

static void failing_stage_stops_those_before_it(void **state)
{
    struct fixture *f = *state;
    spawn(f, (struct subject){.failing = true}, NULL, NULL);
    assert_int_equal(exit_status(f), 1);
    assert_has(f->text, "cannot start second: i/o error");
    assert_has(f->text, "first stops");
    assert_null(strstr(f->text, "second stops"));
}

/* --- over the bus ----------------------------------------------------------------- */

struct caller_side {
    uv_loop_t loop;
    struct sh_zmq_loop *zmq;
    struct sh_rpc_client *client;
    bool answered;
    enum sh_err err;
    struct sh_buffer payload;
};

static void on_answer(void *arg, const struct sh_rpc_response *response)
{
    struct caller_side *side = arg;
    side->answered = true;
    side->err = response->err;
    sh_buffer_append(&side->payload, response->payload.data, response->payload.len);
}

static void open_caller(struct caller_side *side, const char *endpoint)
{
    struct sh_rpc_client_options options = {"subject", endpoint};
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    *side = (struct caller_side){0};
    assert_int_equal(uv_loop_init(&side->loop), 0);
    assert_int_equal(sh_zmq_loop_create(&side->loop, &side->zmq), SH_OK);
    assert_int_equal(sh_rpc_client_create(side->zmq, &options, &side->client), SH_OK);
    while (sh_rpc_client_ready(side->client) == 0) {
        assert_true(sh_now_ms() < deadline);
        uv_run(&side->loop, UV_RUN_ONCE);
    }
}

static void close_caller(struct caller_side *side)
{
    sh_rpc_client_close(&side->client);
    sh_zmq_loop_close(&side->zmq);
    uv_run(&side->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&side->loop), 0);
    sh_buffer_free(&side->payload);
}

static struct sh_bytes call(struct caller_side *side, uint32_t method,
                            struct sh_bytes payload)
{
    struct sh_rpc_request request = {
        .method = method,
        .payload = payload,
        .deadline_ms = sh_now_ms() + PATIENCE_MS,
    };
    side->answered = false;
    sh_buffer_clear(&side->payload);
    assert_int_equal(sh_rpc_send(side->client, &request, on_answer, side, NULL), SH_OK);
    while (!side->answered) {
        assert_true(sh_now_ms() < request.deadline_ms + PATIENCE_MS);
        uv_run(&side->loop, UV_RUN_ONCE);
    }
    assert_int_equal(side->err, SH_OK);
    return sh_buffer_bytes(&side->payload);
}

static struct sh_bytes encoded_empty(struct sh_buffer *out)
{
    struct empty message = {0};
    assert_int_equal(msg_encode(empty_desc(), &message, out), SH_OK);
    return sh_buffer_bytes(out);
}

static void bus_answers_echo_and_health(void **state)
{
    struct fixture *f = *state;
    struct caller_side side;
    struct health_reply reply;
    struct sh_arena arena = {0};
    struct sh_buffer request = {0};
    char endpoint[128] = "";
    (void)start(f, (struct subject){0});
    const char *at = wait_for(f, "bus on ") + strlen("bus on ");
    memcpy(endpoint, at, strcspn(at, "\""));
    open_caller(&side, endpoint);

    struct sh_bytes back = call(&side, METHOD_RPC_ECHO, sh_bytes_of("there and back"));
    assert_true(sh_bytes_is(back, "there and back"));
    back = call(&side, METHOD_RPC_HEALTH, encoded_empty(&request));
    assert_int_equal(msg_decode(health_reply_desc(), back, &arena, &reply), SH_OK);
    assert_true(sh_bytes_is(reply.service, "subject"));
    assert_true(sh_bytes_is(reply.version, CAIRN_VERSION));
    assert_true(sh_bytes_is(reply.status, "healthy"));
    assert_true(reply.ready);
    assert_true(reply.resident_bytes > 0);
    assert_int_equal(reply.checks_count, 1);
    assert_true(sh_bytes_is(reply.checks[0].name, "service"));

    close_caller(&side);
    sh_arena_free(&arena);
    sh_buffer_free(&request);
    finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(ops_port_answers_and_term_ends_it),
        FIXTURE_TEST(metrics_come_in_both_formats),
        FIXTURE_TEST(anything_else_is_refused_as_a_problem),
        FIXTURE_TEST(draining_waits_for_what_is_held),
        FIXTURE_TEST(draining_is_not_ready_but_alive_until_told_again),
        FIXTURE_TEST(grace_ends_the_wait),
        FIXTURE_TEST(failing_stage_stops_those_before_it),
        FIXTURE_TEST(bus_answers_echo_and_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
