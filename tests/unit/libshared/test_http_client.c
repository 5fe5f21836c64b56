#include "http_client_fixture.h"

static void sends_and_receives_everything(void **state)
{
    struct fixture *f = *state;
    serve(f, echo);
    struct both both = open_client(f, 0);
    struct sh_trace trace;
    char parent[56];
    char expected[128];
    static const char *const headers[] = {"X-Mine: yes", NULL};

    sh_trace_start(&trace);
    sh_trace_format(&trace, parent);
    struct sh_http_outgoing outgoing = get(&both);
    outgoing.method = "POST";
    outgoing.headers = headers;
    outgoing.body = sh_bytes_of("in");
    outgoing.trace = &trace;
    struct outcome outcome = call_and_wait(&both, &outgoing);
    (void)snprintf(expected, sizeof(expected), "POST|yes|%s", parent);
    assert_int_equal(outcome.err, SH_OK);
    assert_int_equal(outcome.status, 202);
    /* The same trace, a span of the call's own, sampled as its parent is. */
    size_t trace_ends = strlen("POST|yes|00-") + 32;
    assert_memory_equal(outcome.body, expected, trace_ends);
    assert_memory_not_equal(outcome.body + trace_ends, expected + trace_ends, 17);
    assert_string_equal(outcome.body + trace_ends + 17, "-01|in");
    assert_string_equal(outcome.type, "text/x-echo");
    assert_int_equal(outcome.retry_after_s, 7);

    outgoing = get(&both);
    outcome = call_and_wait(&both, &outgoing);
    assert_string_equal(outcome.body, "GET|||");
    outgoing.method = "DELETE";
    outcome = call_and_wait(&both, &outgoing);
    assert_string_equal(outcome.body, "DELETE|||");
    outgoing.method = "PUT";
    outgoing.body = sh_bytes_of("x");
    outcome = call_and_wait(&both, &outgoing);
    assert_string_equal(outcome.body, "PUT|||x");
    outgoing = get(&both);
    outgoing.method = "POST";
    outcome = call_and_wait(&both, &outgoing);
    assert_string_equal(outcome.body, "POST|||");

    assert_int_equal(f->calls, 5);
    assert_int_equal(sh_http_server_connections(f->server), 1); /* kept and reused */
    sh_http_client_close(&both.client);
    assert_null(both.client);
}

static void a_status_is_not_an_error(void **state)
{
    struct fixture *f = *state;
    serve(f, echo);
    struct both both = open_client(f, 0);
    struct sh_http_outgoing outgoing = get(&both);
    char big[101];
    memset(big, 'x', sizeof(big));
    outgoing.method = "POST";
    outgoing.body = (struct sh_bytes){big, sizeof(big)};
    struct outcome outcome = call_and_wait(&both, &outgoing);
    assert_int_equal(outcome.err, SH_OK);
    assert_int_equal(outcome.status, 413);
    assert_string_equal(outcome.type, "application/problem+json");
    sh_http_client_close(&both.client);
}

static void a_late_answer_times_out(void **state)
{
    struct fixture *f = *state;
    serve(f, never);
    struct both both = open_client(f, 1);
    struct sh_http_outgoing outgoing = get(&both);
    struct outcome first = {0};
    struct outcome queued = {0};
    outgoing.timeout_ms = 60;
    send_call(&both, &outgoing, &first);
    outgoing.timeout_ms = 30; /* waits for the one connection */
    send_call(&both, &outgoing, &queued);
    pump_until(f, queued.calls && first.calls);
    assert_int_equal(first.err, SH_TIMEOUT);
    assert_int_equal(queued.err, SH_TIMEOUT);
    assert_true(first.has_error);
    assert_int_equal(f->calls, 1);
    sh_http_client_close(&both.client);
}

static void nobody_listening_is_unavailable(void **state)
{
    struct fixture *f = *state;
    serve(f, never);
    struct both both = open_client(f, 0);
    struct sh_http_outgoing outgoing = get(&both);
    sh_http_server_close(&f->server);
    pump_for(f, 5);
    struct outcome outcome = call_and_wait(&both, &outgoing);
    assert_int_equal(outcome.err, SH_UNAVAILABLE);
    assert_true(outcome.has_error);
    sh_http_client_close(&both.client);
}

static void large(void *arg, struct sh_http_request *request)
{
    (void)arg;
    sh_http_begin(request, 200, "text/plain"); /* the length is not declared */
    (void)sh_http_send(request, sh_bytes_of("12345678"));
    (void)sh_http_send(request, sh_bytes_of("9"));
    sh_http_end(request);
}

static void an_answer_over_the_limit_is_too_big(void **state)
{
    struct fixture *f = *state;
    serve(f, large);
    struct both both = open_client(f, 0);
    struct sh_http_outgoing outgoing = get(&both);
    outgoing.max_body = 8;
    assert_int_equal(call_and_wait(&both, &outgoing).err, SH_TOOBIG);
    outgoing.max_body = 9;
    struct outcome outcome = call_and_wait(&both, &outgoing);
    assert_int_equal(outcome.err, SH_OK);
    assert_string_equal(outcome.body, "123456789");
    sh_http_client_close(&both.client);
}

static void moved(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_add_header(request, "Location", "/elsewhere");
    sh_http_respond(request, 302, NULL, (struct sh_bytes){0});
}

static void redirects_are_not_followed(void **state)
{
    struct fixture *f = *state;
    serve(f, moved);
    struct both both = open_client(f, 0);
    struct sh_http_outgoing outgoing = get(&both);
    assert_int_equal(call_and_wait(&both, &outgoing).status, 302);
    assert_int_equal(f->calls, 1);
    sh_http_client_close(&both.client);
}

static void only_http_and_clean_lines_are_sent(void **state)
{
    static const char *const split[] = {"X-Mine: a\r\nEvil: b", NULL};
    static const char *const urls[] = {"file:///etc/passwd", "ftp://x/", "",
                                       "http://x/\r\nEvil: b"};
    struct fixture *f = *state;
    struct both both = open_client(f, 0);
    struct outcome outcome = {0};
    struct sh_http_outgoing outgoing = get(&both);
    for (size_t i = 0; i < SH_COUNT(urls); i++) {
        outgoing.url = urls[i];
        assert_int_equal(
            sh_http_client_send(both.client, &outgoing, note, &outcome, NULL),
            SH_INVALID);
    }
    outgoing.url = "http://127.0.0.1:1/";
    outgoing.headers = split;
    assert_int_equal(sh_http_client_send(both.client, &outgoing, note, &outcome, NULL),
                     SH_INVALID);
    assert_int_equal(outcome.calls, 0);
    sh_http_client_close(&both.client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(sends_and_receives_everything),
        TEST(a_status_is_not_an_error),
        TEST(a_late_answer_times_out),
        TEST(nobody_listening_is_unavailable),
        TEST(an_answer_over_the_limit_is_too_big),
        TEST(redirects_are_not_followed),
        TEST(only_http_and_clean_lines_are_sent),
    };
    unsetenv("http_proxy");
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
