/* Replicas that get no work for a while, and how they come back. */
#include "tests/unit/libshared/rpc_fake.h"

static void connect_to_two(struct rpc_fixture *f, struct fake *fake)
{
    char endpoints[512];
    open_fake(f, fake);
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    (void)snprintf(endpoints, sizeof(endpoints), "%s,%s", fake->endpoint,
                   sh_rpc_server_endpoint(f->servers[0].rpc));
    connect_to(f, endpoints);
    PUMP(f, play(fake) && sh_rpc_client_ready(f->client) == 2);
}

static void a_stuck_replica_is_ejected_and_its_reads_go_elsewhere(void **state)
{
    struct rpc_fixture *f = *state;
    struct fake fake = {.deaf = true};
    struct outcome out[8] = {0};
    connect_to_two(f, &fake);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out[i]), SH_OK);
    PUMP(f, play(&fake) && fake.requests > 0);
    PUMP(f, play(&fake) && sh_rpc_client_ready(f->client) == 1);
    assert_true(fake.pings >= 3);
    size_t good = 0;
    for (size_t i = 0; i < 8; i++) {
        PUMP(f, play(&fake) && out[i].calls == 1);
        good += out[i].err == SH_OK;
    }
    assert_true(good >= 3); /* the retry budget is three of so few */

    answer_request(&fake, fake.request.head.epoch, "late");
    pump_for(f, 50);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(out[i].calls, 1);
        free(out[i].payload);
    }
    zmq_close(fake.socket);
}

static void an_ejected_replica_returns_through_half_open(void **state)
{
    struct rpc_fixture *f = *state;
    struct fake fake = {.deaf = true};
    struct outcome out[2] = {0};
    connect_to_two(f, &fake);
    PUMP(f, play(&fake) && sh_rpc_client_ready(f->client) == 1);
    uint64_t began = sh_now_ms();
    size_t hellos = fake.hellos;
    size_t pings = fake.pings;
    fake.deaf = false;
    PUMP(f, play(&fake) && sh_rpc_client_ready(f->client) == 2);
    assert_true(sh_now_ms() - began >= 700); /* 1 s less a fifth */
    assert_true(fake.hellos > hellos);       /* said again while the answer is late */
    assert_true(fake.pings >= pings + 2);

    /* Only one request may try it; the other one has the whole server. */
    sh_rpc_server_drain(f->servers[0].rpc, NULL, NULL);
    PUMP(f, play(&fake) && sh_rpc_client_ready(f->client) == 1);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out[0]), SH_OK);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out[1]), SH_OK);
    PUMP(f, play(&fake) && out[1].calls == 1);
    assert_int_equal(fake.requests, 1);
    assert_int_equal(out[1].err, SH_BUSY);
    answer_request(&fake, fake.request.head.epoch, "trial");
    PUMP(f, play(&fake) && out[0].calls == 1);
    assert_int_equal(out[0].err, SH_OK);
    assert_string_equal(out[0].payload, "trial");
    free(out[0].payload);
    free(out[1].payload);
    zmq_close(fake.socket);
}

/* --- slow ones -------------------------------------------------------------------- */

/* Five failures in a row; the other replica makes them good. */
static void fail_until_ejected(struct rpc_fixture *f, struct fake *fake)
{
    for (size_t failed = 0; failed < 5 && sh_rpc_client_ready(f->client) == 2;) {
        struct outcome out = {0};
        size_t before = fake->requests;
        assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
        PUMP(f, play(fake) && (out.calls == 1 || fake->requests > before));
        if (out.calls == 0) {
            fail_request(fake);
            failed++;
        }
        PUMP(f, play(fake) && out.calls == 1);
        assert_int_equal(out.err, SH_OK);
        free(out.payload);
    }
    PUMP(f, play(fake) && sh_rpc_client_ready(f->client) == 1);
}

/* Without that its second ejection would last 8 s at least. */
static void who_answered_pings_late_is_back_when_it_does_not(void **state)
{
    enum { EJECTIONS = 2, LEAST_MS = 8000, LATE_MS = 60 };
    struct rpc_fixture *f = *state;
    struct fake fake = {0};
    uint64_t took_ms = 0;
    connect_to_two(f, &fake);
    for (size_t i = 0; i < EJECTIONS; i++) {
        size_t pings = fake.pings;
        fake.late_ms = LATE_MS;
        PUMP(f, play(&fake) && fake.pings >= pings + 2 && fake.pong_ms == 0);
        pump_for(f, 50); /* so that it has come */
        fail_until_ejected(f, &fake);
        pings = fake.pings;
        PUMP(f, play(&fake) && fake.pings >= pings + 2); /* it is still asked */
        assert_int_equal(sh_rpc_client_ready(f->client), 1);
        fake.late_ms = 0;
        uint64_t began_ms = sh_now_ms();
        PUMP(f, play(&fake) && sh_rpc_client_ready(f->client) == 2);
        took_ms = sh_now_ms() - began_ms;
    }
    assert_true(took_ms < LEAST_MS - 1000);
    zmq_close(fake.socket);
}

static void who_answered_pings_in_time_waits(void **state)
{
    struct rpc_fixture *f = *state;
    struct fake fake = {0};
    connect_to_two(f, &fake);
    fail_until_ejected(f, &fake);
    size_t pings = fake.pings;
    for (uint64_t until = sh_now_ms() + 1500; sh_now_ms() < until;) {
        play(&fake);
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_true(fake.pings <= pings + 1); /* one may have been under way */
    assert_int_equal(sh_rpc_client_ready(f->client), 1);
    zmq_close(fake.socket);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_stuck_replica_is_ejected_and_its_reads_go_elsewhere),
        T(an_ejected_replica_returns_through_half_open),
        T(who_answered_pings_late_is_back_when_it_does_not),
        T(who_answered_pings_in_time_waits),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests_name("rpc_ejection", tests, NULL, NULL);
}
