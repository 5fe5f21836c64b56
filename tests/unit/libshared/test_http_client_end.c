/* Calls that end badly, or are ended. */
#include "http_client_fixture.h"

/* --- a peer that speaks nonsense -------------------------------------------------- */

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

/* --- cancelling and closing ------------------------------------------------------- */

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
        TEST(nonsense_and_half_answers_are_upstream),
        TEST(a_cancelled_call_is_told_later),
        TEST(closing_cancels_what_is_under_way),
        TEST(a_client_may_be_closed_by_done),
        TEST(many_calls_share_few_connections),
    };
    unsetenv("http_proxy");
    return cmocka_run_group_tests_name("http_client_end", tests, NULL, NULL);
}
