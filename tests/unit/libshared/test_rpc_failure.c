/* What happens when a replica dies, drains, hangs, refuses or answers late. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/libshared/rpc_fixture.h"

static size_t holder(const struct rpc_fixture *f)
{
    for (size_t i = 0; i < SERVERS; i++) {
        if (f->servers[i].held_count > 0)
            return i;
    }
    return SERVERS;
}

static void a_read_is_retried_when_its_replica_dies(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 2, 0);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &out), SH_OK);
    PUMP(f, holder(f) < SERVERS);
    size_t dead = holder(f);
    sh_rpc_server_close(&f->servers[dead].rpc); /* as a kill: nobody is told */
    assert_int_equal(f->servers[dead].canceled, 1);
    PUMP(f, f->servers[!dead].held_count == 1);
    held_answer(&f->servers[!dead]);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    assert_string_equal(out.payload, f->servers[!dead].name);
    assert_int_equal(sh_rpc_client_ready(f->client), 1);
    free(out.payload);
}

static void the_outcome_of_a_lost_write_is_unknown(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 2, 0);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_WRITE, &out), SH_OK);
    PUMP(f, holder(f) < SERVERS);
    size_t dead = holder(f);
    sh_rpc_server_close(&f->servers[dead].rpc);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_INTERNAL);
    assert_string_equal(out.code, "outcome_unknown");
    assert_int_equal(f->servers[!dead].calls, 0);
    free(out.payload);
}

static void a_lost_write_with_a_key_is_retried(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    const uint8_t key[16] = "0123456789abcde";
    start(f, 2, 0);
    struct sh_rpc_request request = request_of(METHOD_HOLD, SH_RPC_WRITE, PATIENCE_MS);
    request.idempotency_key = key;
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
    PUMP(f, holder(f) < SERVERS);
    size_t dead = holder(f);
    const uint8_t *seen = sh_rpc_call_idempotency_key(f->servers[dead].held[0]);
    assert_memory_equal(seen, key, sizeof(key));
    sh_rpc_server_close(&f->servers[dead].rpc);
    PUMP(f, f->servers[!dead].held_count == 1);
    seen = sh_rpc_call_idempotency_key(f->servers[!dead].held[0]);
    assert_memory_equal(seen, key, sizeof(key));
    held_answer(&f->servers[!dead]);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
}

static void the_last_replica_takes_its_reads_along(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &out), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);
    sh_rpc_server_close(&f->servers[0].rpc);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_UNAVAILABLE);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_UNAVAILABLE);
    free(out.payload);
}

static void a_replica_that_comes_back_takes_work_again(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    char endpoint[256];
    start(f, 1, 0);
    (void)snprintf(endpoint, sizeof(endpoint), "%s",
                   sh_rpc_server_endpoint(f->servers[0].rpc));
    sh_rpc_server_close(&f->servers[0].rpc);
    PUMP(f, sh_rpc_client_ready(f->client) == 0);
    uint64_t began = sh_now_ms();
    struct sh_rpc_server *again = NULL;
    struct sh_rpc_server_options options = {.service = "test", .bind = endpoint};
    do /* the old socket's port is free a moment later */
        uv_run(&f->loop, UV_RUN_ONCE);
    while (sh_rpc_server_create(f->zmq, &options, &again) != SH_OK &&
           sh_now_ms() - began < PATIENCE_MS);
    f->servers[0].rpc = again;
    assert_int_equal(
        sh_rpc_server_add(again, METHOD_ECHO, "echo", 0, on_echo, &f->servers[0]), SH_OK);
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
}

static void on_drained(void *arg)
{
    struct peer_server *server = arg;
    server->drained = true;
}

/* Requests keep coming at a steady rate while one of two replicas leaves. */
static void a_drain_loses_nothing(void **state)
{
    enum { MANY = 600, EACH_TURN = 2 };
    struct rpc_fixture *f = *state;
    struct outcome *out = calloc(MANY, sizeof(*out));
    struct outcome held = {0};
    size_t sent = 0;
    start(f, 2, 0);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_WRITE, &held), SH_OK);
    PUMP(f, holder(f) < SERVERS);
    struct peer_server *leaving = &f->servers[holder(f)];
    while (sent < MANY) {
        for (size_t i = 0; i < EACH_TURN; i++, sent++)
            assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_WRITE, &out[sent]), SH_OK);
        if (sent == 200)
            sh_rpc_server_drain(leaving->rpc, on_drained, leaving);
        if (sent == 300)
            held_answer(leaving); /* accepted work is finished */
        if (leaving->drained)
            sh_rpc_server_close(&leaving->rpc);
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    PUMP(f, leaving->drained && held.calls == 1);
    sh_rpc_server_close(&leaving->rpc);
    assert_int_equal(held.err, SH_OK);
    for (size_t i = 0; i < MANY; i++) {
        PUMP(f, out[i].calls == 1);
        assert_int_equal(out[i].err, SH_OK);
        free(out[i].payload);
    }
    assert_int_equal(sh_rpc_client_ready(f->client), 1);
    free(held.payload);
    free(out);
}

static void draining_tells_the_peers_at_once(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    sh_rpc_server_drain(f->servers[0].rpc, on_drained, &f->servers[0]);
    PUMP(f, sh_rpc_client_ready(f->client) == 0);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_UNAVAILABLE);
    PUMP(f, f->servers[0].drained);
}

static void over_the_credit_requests_wait_and_then_are_refused(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome first = {0};
    struct outcome second = {0};
    start(f, 1, 1);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &first), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);
    uint64_t began = sh_now_ms();
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &second), SH_OK);
    PUMP(f, second.calls == 1);
    assert_int_equal(second.err, SH_BUSY);
    assert_true(sh_now_ms() - began >= 50);

    held_answer(&f->servers[0]);
    PUMP(f, first.calls == 1);
    int rounds = 0;
    do { /* a machine that stalls for 50 ms may need another round */
        rounds++;
        assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &first), SH_OK);
        PUMP(f, f->servers[0].held_count == 1);
        assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &second), SH_OK);
        held_answer(&f->servers[0]); /* room before the wait is over */
        PUMP(f, first.calls == 1 + rounds && second.calls == 1 + rounds);
    } while (second.err == SH_BUSY && rounds < 20);
    assert_int_equal(second.err, SH_OK);
    free(first.payload);
    free(second.payload);
}

static void an_overloaded_server_says_when_to_come_back(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome held = {0};
    struct outcome out = {0};
    struct sh_rpc_client *other = NULL;
    start(f, 1, 1);
    struct sh_rpc_client_options options = {
        .service = "test", .endpoints = sh_rpc_server_endpoint(f->servers[0].rpc)};
    assert_int_equal(sh_rpc_client_create(f->zmq, &options, &other), SH_OK);
    PUMP(f, sh_rpc_client_ready(other) == 1);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &held), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);
    struct sh_rpc_request request = request_of(METHOD_ECHO, SH_RPC_READ, PATIENCE_MS);
    assert_int_equal(sh_rpc_send(other, &request, on_done, &out, NULL), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_BUSY);
    assert_true(out.retry_after_ms > 0);
    held_answer(&f->servers[0]);
    PUMP(f, held.calls == 1);
    sh_rpc_client_close(&other);
    free(held.payload);
    free(out.payload);
}

static void most_requests_failing_opens_the_breaker(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 1, 0);
    f->servers[0].fail_with = SH_INTERNAL;
    for (int i = 1; i <= 20; i++) {
        assert_int_equal(ask(f, METHOD_FAIL, SH_RPC_WRITE, &out), SH_OK);
        PUMP(f, out.calls == i);
        assert_int_equal(out.err, SH_INTERNAL);
    }
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_UNAVAILABLE);
    enum sh_err err = SH_UNAVAILABLE;
    PUMP(f, (err = ask(f, METHOD_ECHO, SH_RPC_READ, &out)) == SH_OK); /* the probe */
    PUMP(f, out.calls == 21);
    assert_int_equal(out.err, SH_OK);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 22);
    free(out.payload);
}

static void what_the_request_is_to_blame_for_is_not_retried(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 2, 0);
    f->servers[0].fail_with = f->servers[1].fail_with = SH_NOTFOUND;
    assert_int_equal(ask(f, METHOD_FAIL, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_NOTFOUND);
    assert_int_equal(f->servers[0].calls + f->servers[1].calls, 1);

    f->servers[0].fail_with = f->servers[1].fail_with = SH_INTERNAL;
    assert_int_equal(ask(f, METHOD_FAIL, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 2);
    assert_int_equal(out.err, SH_INTERNAL); /* both were asked */
    assert_true(f->servers[0].calls > 0 && f->servers[1].calls > 0);
    free(out.payload);
}

static void a_slow_read_is_hedged(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 2, 0);
    for (int i = 1; i <= 30; i++) { /* writes: on a busy machine a read may be hedged */
        assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_WRITE, &out), SH_OK);
        PUMP(f, out.calls == i);
    }
    pump_for(f, 300); /* the p95 is taken four times a second */
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &out), SH_OK);
    PUMP(f, f->servers[0].held_count == 1 && f->servers[1].held_count == 1);
    held_answer(&f->servers[1]);
    PUMP(f, out.calls == 31);
    assert_int_equal(out.err, SH_OK);
    assert_string_equal(out.payload, "server-1");
    PUMP(f, f->servers[0].canceled == 1); /* the one that lost */

    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_WRITE, &out), SH_OK); /* never */
    pump_for(f, 150);
    assert_int_equal(f->servers[0].calls + f->servers[1].calls, 30 + 2 + 1);
    held_answer(&f->servers[0]);
    held_answer(&f->servers[1]);
    PUMP(f, out.calls == 32);
    free(out.payload);
}

/* --- payloads in pieces ----------------------------------------------------------- */

static char *large(size_t len)
{
    char *data = malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 31 + (i >> 12));
    return data;
}

static void five_mebibytes_go_there_and_back(void **state)
{
    enum { LEN = (5 << 20) + 17 };
    struct rpc_fixture *f = *state;
    struct outcome out[3] = {0};
    char *data = large(LEN);
    start(f, 2, 0);
    struct sh_rpc_request request = request_of(METHOD_BIG, SH_RPC_READ, PATIENCE_MS);
    request.payload = (struct sh_bytes){data, LEN};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out[i], NULL), SH_OK);
    for (size_t i = 0; i < 3; i++) {
        PUMP(f, out[i].calls == 1);
        assert_int_equal(out[i].err, SH_OK);
        assert_int_equal(out[i].len, LEN);
        assert_memory_equal(out[i].payload, data, LEN);
        free(out[i].payload);
    }
    free(data);
}

static void sizes_around_the_limits_arrive(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   33,
                                   34,
                                   ENVELOPE_PAYLOAD_MAX,
                                   ENVELOPE_PAYLOAD_MAX + 1,
                                   5L * ENVELOPE_CHUNK_BYTES,
                                   5L * ENVELOPE_CHUNK_BYTES + 1};
    struct rpc_fixture *f = *state;
    char *data = large(8 << 20);
    start(f, 1, 0);
    for (size_t i = 0; i < SH_COUNT(sizes); i++) {
        struct outcome out = {0};
        struct sh_rpc_request request = request_of(METHOD_BIG, SH_RPC_READ, PATIENCE_MS);
        request.payload = (struct sh_bytes){data, sizes[i]};
        assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
        PUMP(f, out.calls == 1);
        assert_int_equal(out.err, SH_OK);
        assert_int_equal(out.len, sizes[i]);
        if (sizes[i] > 0)
            assert_memory_equal(out.payload, data, sizes[i]);
        free(out.payload);
    }
    free(data);
}

static void a_payload_over_the_methods_limit_is_refused_at_its_first_piece(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    char *data = large(9 << 20);
    start(f, 1, 0);
    struct sh_rpc_request request = request_of(METHOD_BIG, SH_RPC_READ, PATIENCE_MS);
    request.payload = (struct sh_bytes){data, 9 << 20};
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_TOOBIG);
    request.method = METHOD_ECHO; /* 1 MiB */
    request.payload.len = 5 << 20;
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &out, NULL), SH_OK);
    PUMP(f, out.calls == 2);
    assert_int_equal(out.err, SH_TOOBIG);
    assert_int_equal(f->servers[0].calls, 0);
    free(out.payload);
    free(data);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_read_is_retried_when_its_replica_dies),
        T(the_outcome_of_a_lost_write_is_unknown),
        T(a_lost_write_with_a_key_is_retried),
        T(the_last_replica_takes_its_reads_along),
        T(a_replica_that_comes_back_takes_work_again),
        T(a_drain_loses_nothing),
        T(draining_tells_the_peers_at_once),
        T(over_the_credit_requests_wait_and_then_are_refused),
        T(an_overloaded_server_says_when_to_come_back),
        T(most_requests_failing_opens_the_breaker),
        T(what_the_request_is_to_blame_for_is_not_retried),
        T(a_slow_read_is_hedged),
        T(five_mebibytes_go_there_and_back),
        T(sizes_around_the_limits_arrive),
        T(a_payload_over_the_methods_limit_is_refused_at_its_first_piece),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests_name("rpc_failure", tests, NULL, NULL);
}
