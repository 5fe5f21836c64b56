#include "http_fixture.h"
#include "shared/http_client.h"

struct outcome {
    int calls;
    enum sh_err err;
    int status;
    char body[256];
    char type[64];
    unsigned retry_after_s;
    bool has_error;
};

struct both { /* the fixture, and the client on the same loop */
    struct fixture *f;
    struct sh_http_client *client;
    char url[64];
};

static void note(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct outcome *outcome = arg;
    size_t len = incoming->body.len;
    outcome->calls++;
    outcome->err = err;
    outcome->status = incoming->status;
    outcome->retry_after_s = incoming->retry_after_s;
    outcome->has_error = incoming->error[0] != '\0';
    if (len > sizeof(outcome->body) - 1)
        len = sizeof(outcome->body) - 1;
    if (len > 0)
        memcpy(outcome->body, incoming->body.data, len);
    (void)snprintf(outcome->type, sizeof(outcome->type), "%s", incoming->content_type);
}

static struct both open_client(struct fixture *f, unsigned max_connections)
{
    struct both both = {.f = f};
    assert_int_equal(sh_http_client_create(&f->loop, max_connections, &both.client),
                     SH_OK);
    if (f->server)
        (void)snprintf(both.url, sizeof(both.url), "http://127.0.0.1:%u/x",
                       (unsigned)sh_http_server_port(f->server));
    return both;
}

static struct sh_http_outgoing get(const struct both *both)
{
    return (struct sh_http_outgoing){
        .method = "GET", .url = both->url, .timeout_ms = PATIENCE_MS};
}

static struct sh_http_call *send_call(const struct both *both,
                                      const struct sh_http_outgoing *outgoing,
                                      struct outcome *outcome)
{
    struct sh_http_call *call = NULL;
    assert_int_equal(sh_http_client_send(both->client, outgoing, note, outcome, &call),
                     SH_OK);
    assert_int_equal(outcome->calls, 0);
    return call;
}

static struct outcome call_and_wait(const struct both *both,
                                    const struct sh_http_outgoing *outgoing)
{
    struct outcome outcome = {0};
    send_call(both, outgoing, &outcome);
    pump_until(both->f, outcome.calls > 0);
    return outcome;
}

/* --- a server that echoes ----------------------------------------------------------- */

static void echo_body(void *arg, struct sh_http_request *request, enum sh_err err,
                      struct sh_bytes body)
{
    (void)arg;
    if (err != SH_OK) {
        sh_http_fail_err(request, err, NULL);
        return;
    }
    char text[512];
    struct sh_bytes header = sh_http_header(request, "X-Mine");
    struct sh_bytes trace = sh_http_header(request, "traceparent");
    struct sh_bytes method = sh_http_method(request);
    (void)snprintf(text, sizeof(text), "%.*s|%.*s|%.*s|%.*s", (int)method.len,
                   (const char *)method.data, (int)header.len,
                   header.data ? (const char *)header.data : "", (int)trace.len,
                   trace.data ? (const char *)trace.data : "", (int)body.len,
                   body.data ? (const char *)body.data : "");
    sh_http_add_header(request, "Retry-After", "7");
    sh_http_respond(request, 202, "text/x-echo", sh_bytes_of(text));
}

static void echo(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_read_all(request, 100, echo_body, f);
}

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
    (void)snprintf(expected, sizeof(expected), "POST|yes|%s|in", parent);
    assert_int_equal(outcome.err, SH_OK);
    assert_int_equal(outcome.status, 202);
    assert_string_equal(outcome.body, expected);
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

/* --- limits and faults -------------------------------------------------------------- */

static void never(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
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

/* --- a peer that speaks nonsense ---------------------------------------------------- */

static void talks_to(struct fixture *f, const char *answer, struct outcome *outcome)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    void *address = &at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, address, &size), 0);

    struct both both = open_client(f, 0);
    (void)snprintf(both.url, sizeof(both.url), "http://127.0.0.1:%u/",
                   (unsigned)ntohs(at.sin_port));
    struct sh_http_outgoing outgoing = get(&both);
    struct heard *heard = calloc(1, sizeof(*heard));
    int peer = -1;
    send_call(&both, &outgoing, outcome);
    pump_until(f, (peer = accept(listener, NULL, NULL)) >= 0);
    hear(f, peer, heard, "\r\n\r\n");
    say(peer, answer);
    close(peer);
    pump_until(f, outcome->calls > 0);
    close(listener);
    sh_http_client_close(&both.client);
    free(heard);
}

static void nonsense_and_half_answers_are_upstream(void **state)
{
    static const char *const answers[] = {
        "SSH-2.0-nonsense\r\n",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(answers); i++) {
        struct outcome outcome = {0};
        talks_to(f, answers[i], &outcome);
        assert_int_equal(outcome.err, SH_UPSTREAM);
        assert_int_equal(outcome.calls, 1);
    }
}

/* --- cancelling and closing --------------------------------------------------------- */

static void a_cancelled_call_is_told_later(void **state)
{
    struct fixture *f = *state;
    serve(f, never);
    struct both both = open_client(f, 0);
    struct sh_http_outgoing outgoing = get(&both);
    struct outcome early = {0};
    struct outcome under_way = {0};
    sh_http_client_cancel(send_call(&both, &outgoing, &early));
    assert_int_equal(early.calls, 0);
    struct sh_http_call *call = send_call(&both, &outgoing, &under_way);
    pump_until(f, f->calls == 1 && early.calls);
    assert_int_equal(early.err, SH_CANCELED);
    sh_http_client_cancel(call);
    assert_int_equal(under_way.calls, 0);
    pump_until(f, under_way.calls);
    assert_int_equal(under_way.err, SH_CANCELED);
    pump_for(f, 5);
    assert_int_equal(under_way.calls + early.calls, 2);
    sh_http_client_close(&both.client);
}

static void closing_cancels_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    serve(f, never);
    struct both both = open_client(f, 1);
    struct sh_http_outgoing outgoing = get(&both);
    struct outcome outcomes[3] = {{0}};
    for (size_t i = 0; i < SH_COUNT(outcomes); i++)
        send_call(&both, &outgoing, &outcomes[i]);
    pump_until(f, f->calls == 1);
    sh_http_client_close(&both.client);
    for (size_t i = 0; i < SH_COUNT(outcomes); i++) {
        assert_int_equal(outcomes[i].calls, 1);
        assert_int_equal(outcomes[i].err, SH_CANCELED);
    }
}

static void close_in_done(void *arg, enum sh_err err,
                          const struct sh_http_incoming *incoming)
{
    struct both *both = arg;
    (void)incoming;
    assert_int_equal(err, SH_OK);
    sh_http_client_close(&both->client);
}

static void a_client_may_be_closed_by_done(void **state)
{
    struct fixture *f = *state;
    serve(f, echo);
    struct both both = open_client(f, 0);
    struct sh_http_outgoing outgoing = get(&both);
    struct outcome other = {0};
    assert_int_equal(
        sh_http_client_send(both.client, &outgoing, close_in_done, &both, NULL), SH_OK);
    send_call(&both, &outgoing, &other);
    pump_until(f, both.client == NULL);
    assert_int_equal(other.calls, 1);
}

static void many_calls_share_few_connections(void **state)
{
    enum { CALLS = 50 };
    struct fixture *f = *state;
    serve(f, echo);
    struct both both = open_client(f, 3);
    struct sh_http_outgoing outgoing = get(&both);
    struct outcome outcomes[CALLS] = {{0}};
    int done = 0;
    for (size_t i = 0; i < CALLS; i++)
        send_call(&both, &outgoing, &outcomes[i]);
    while (done < CALLS) {
        turn(f, sh_now_ms() + PATIENCE_MS);
        assert_true(sh_http_server_connections(f->server) <= 3);
        done = 0;
        for (size_t i = 0; i < CALLS; i++)
            done += outcomes[i].calls;
    }
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(outcomes[i].err, SH_OK);
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
        TEST(nonsense_and_half_answers_are_upstream),
        TEST(a_cancelled_call_is_told_later),
        TEST(closing_cancels_what_is_under_way),
        TEST(a_client_may_be_closed_by_done),
        TEST(many_calls_share_few_connections),
    };
    unsetenv("http_proxy");
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
