/* A caller whose own loop stood still: what is overdue then is not its replicas' fault.
 */
#include "libshared/src/rpc_calling.h"
#include "tests/unit/libshared/rpc_fixture.h"

enum { HELD = 40, STOOD_MS = 4000, FORGOTTEN_MS = 11000 };

/* As if the last tick before this one had been so long ago. */
static void stand_still(struct sh_rpc_client *client, uint64_t ms)
{
    uint64_t now_ms = sh_now_ms() + 1;
    client->awake_ms = now_ms - ms;
    rpc_members_awake(client, now_ms);
}

static size_t held(const struct rpc_fixture *f)
{
    return f->servers[0].held_count + f->servers[1].held_count;
}

static void send_many(struct rpc_fixture *f, struct outcome *out)
{
    for (size_t i = 0; i < HELD; i++)
        assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_WRITE, &out[i]), SH_OK);
    PUMP(f, held(f) == HELD);
}

/* The deadlines of all that is under way have passed. */
static void be_late(struct sh_rpc_client *client)
{
    for (size_t i = 0; i < client->slot_count; i++) {
        struct rpc_request *request = client->slots[i];
        if (request->phase == RPC_SENT)
            rpc_request_wake(client, request, request->deadline_ms);
    }
}

static unsigned blame(const struct sh_rpc_client *client)
{
    unsigned most = 0;
    for (size_t i = 0; i < client->replica_count; i++) {
        if (client->replicas[i]->failures_in_row > most)
            most = client->replicas[i]->failures_in_row;
    }
    return most;
}

static void forget(struct rpc_fixture *f, struct outcome *out)
{
    PUMP(f, f->servers[0].canceled + f->servers[1].canceled == HELD);
    for (size_t i = 0; i < 2; i++) {
        while (f->servers[i].held_count > 0)
            held_answer(&f->servers[i]);
    }
    for (size_t i = 0; i < HELD; i++) {
        assert_int_equal(out[i].calls, 1);
        assert_int_equal(out[i].err, SH_TIMEOUT);
        free(out[i].payload);
    }
}

static void nobody_is_blamed_for_what_ran_out_meanwhile(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out[HELD] = {0};
    struct outcome after = {0};
    start(f, 2, 0);
    send_many(f, out);
    stand_still(f->client, STOOD_MS);
    be_late(f->client);
    assert_int_equal(blame(f->client), 0);
    assert_false(f->client->breaker.open);
    assert_int_equal(sh_rpc_client_ready(f->client), 2);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &after), SH_OK);
    PUMP(f, after.calls == 1);
    assert_int_equal(after.err, SH_OK);
    free(after.payload);
    forget(f, out);
}

static void while_awake_they_are(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out[HELD] = {0};
    start(f, 2, 0);
    send_many(f, out);
    rpc_members_awake(f->client, sh_now_ms());
    f->client->woke_ms = 0; /* a busy machine may have put us to sleep for real */
    be_late(f->client);
    assert_int_not_equal(blame(f->client), 0);
    assert_true(f->client->breaker.open);
    forget(f, out);
}

static void pings_of_before_are_not_missed(void **state)
{
    struct rpc_fixture *f = *state;
    start(f, 1, 0);
    f->client->replicas[0]->misses = 2;
    stand_still(f->client, 100);
    assert_int_equal(f->client->replicas[0]->misses, 2);
    stand_still(f->client, STOOD_MS);
    assert_int_equal(f->client->replicas[0]->misses, 0);
}

/* The services have dropped a caller that was silent for ten seconds. */
static void who_was_forgotten_comes_anew_and_refuses_nothing(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome out = {0};
    start(f, 2, 0);
    uint64_t before = f->client->replicas[0]->epoch;
    stand_still(f->client, FORGOTTEN_MS);
    assert_int_not_equal(f->client->replicas[0]->epoch, before);
    assert_int_equal(sh_rpc_client_ready(f->client), 0);
    assert_true(rpc_client_starting(f->client));
    f->client->grace_until_ms = sh_now_ms() + PATIENCE_MS; /* on a busy machine too */
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK); /* it waits */
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
}

/* Heartbeats stood still, too, and all connections end at once. */
static void reads_wait_for_the_connections_that_come_next(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome sent = {0};
    struct outcome asked = {0};
    start(f, 2, 0);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &sent), SH_OK);
    PUMP(f, held(f) == 1);
    stand_still(f->client, STOOD_MS);
    f->client->grace_until_ms = sh_now_ms() + PATIENCE_MS; /* on a busy machine too */
    for (size_t i = 0; i < f->client->replica_count; i++)
        rpc_replica_renew(f->client->replicas[i], sh_now_ms());
    assert_int_equal(sh_rpc_client_ready(f->client), 0);
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &asked), SH_OK);
    PUMP(f, asked.calls == 1);
    assert_int_equal(asked.err, SH_OK);
    PUMP(f, held(f) == 2); /* the first attempt, and the one that was made again */
    for (size_t i = 0; i < 2; i++) {
        while (f->servers[i].held_count > 0)
            held_answer(&f->servers[i]);
    }
    PUMP(f, sent.calls == 1);
    assert_int_equal(sent.err, SH_OK);
    free(sent.payload);
    free(asked.payload);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(nobody_is_blamed_for_what_ran_out_meanwhile),
        T(while_awake_they_are),
        T(pings_of_before_are_not_missed),
        T(reads_wait_for_the_connections_that_come_next),
        T(who_was_forgotten_comes_anew_and_refuses_nothing),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests_name("rpc_asleep", tests, NULL, NULL);
}
