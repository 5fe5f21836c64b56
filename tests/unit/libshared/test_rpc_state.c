/* What a service says of the state of its data, and what its callers make of it. */
#include "libshared/src/rpc_calling.h"
#include "tests/unit/libshared/rpc_fixture.h"

enum { METHOD_WRITE = 9 };

static uint64_t known(const struct rpc_fixture *f)
{
    return sh_rpc_client_state(f->client);
}

static void set(struct rpc_fixture *f, size_t server, uint64_t state)
{
    sh_rpc_server_set_state(f->servers[server].rpc, state);
}

static void a_state_is_known_while_all_replicas_say_the_same(void **state)
{
    struct rpc_fixture *f = *state;
    start(f, 2, 0);
    assert_true(known(f) == 0); /* as older services: they say nothing */
    set(f, 0, 11);
    set(f, 1, 11);
    PUMP(f, known(f) == 11);
    set(f, 1, 12);
    PUMP(f, known(f) == 0);
    set(f, 0, 12);
    PUMP(f, known(f) == 12);
    set(f, 0, 0);
    PUMP(f, known(f) == 0);
}

static void one_that_says_nothing_makes_it_unknown(void **state)
{
    struct rpc_fixture *f = *state;
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    serve(f, 1, "tcp://127.0.0.1:0", 0);
    set(f, 0, 5);
    connect_to(f, sh_rpc_server_endpoint(f->servers[0].rpc));
    PUMP(f, known(f) == 5); /* told by the handshake */
    sh_rpc_client_close(&f->client);
    char both[300];
    (void)snprintf(both, sizeof(both), "%s,%s", sh_rpc_server_endpoint(f->servers[0].rpc),
                   sh_rpc_server_endpoint(f->servers[1].rpc));
    connect_to(f, both);
    PUMP(f, sh_rpc_client_ready(f->client) == 2);
    assert_true(known(f) == 0);
    set(f, 1, 5);
    PUMP(f, known(f) == 5);
    sh_rpc_server_close(&f->servers[1].rpc); /* who takes no work does not count */
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    assert_true(known(f) == 5);
    sh_rpc_server_close(&f->servers[0].rpc);
    PUMP(f, sh_rpc_client_ready(f->client) == 0);
    assert_true(known(f) == 0);
}

/* --- a write and its answer ------------------------------------------------------- */

static void on_write(void *arg, struct sh_rpc_call *call)
{
    struct peer_server *server = arg;
    sh_rpc_server_set_state(server->rpc, 1000 + ++server->calls);
    sh_rpc_reply_raw(call, NULL, NULL, (struct sh_bytes){0});
}

struct written {
    struct rpc_fixture *f;
    struct sh_rpc_client *other;
    int count;
};

/* The answer must not be heard before the new state is known, here and elsewhere. */
static void on_written(void *arg, const struct sh_rpc_response *response)
{
    struct written *written = arg;
    uint64_t state = 1000 + written->f->servers[0].calls;
    assert_int_equal(response->err, SH_OK);
    assert_true(known(written->f) == state);
    assert_true(sh_rpc_client_state(written->other) == state);
    written->count++;
}

static void who_hears_of_a_write_knows_the_state_after_it(void **state)
{
    struct rpc_fixture *f = *state;
    struct sh_rpc_client *other = NULL;
    start(f, 1, 0);
    struct peer_server *server = &f->servers[0];
    assert_int_equal(
        sh_rpc_server_add(server->rpc, METHOD_WRITE, "write", 0, on_write, server),
        SH_OK);
    struct sh_rpc_client_options options = {
        .service = "test", .endpoints = sh_rpc_server_endpoint(server->rpc)};
    assert_int_equal(sh_rpc_client_create(f->zmq, &options, &other), SH_OK);
    PUMP(f, sh_rpc_client_ready(other) == 1);
    struct written written = {f, other, 0};
    for (int i = 1; i <= 100; i++) {
        struct sh_rpc_request request =
            request_of(METHOD_WRITE, SH_RPC_WRITE, PATIENCE_MS);
        assert_int_equal(sh_rpc_send(f->client, &request, on_written, &written, NULL),
                         SH_OK);
        PUMP(f, written.count == i);
    }
    sh_rpc_client_close(&other);
}

/* --- being behind ----------------------------------------------------------------- */

static bool is_set(void *flag)
{
    return *(const bool *)flag;
}

static size_t heard_to_be_behind(const struct rpc_fixture *f)
{
    size_t count = 0;
    for (size_t i = 0; i < f->client->replica_count; i++)
        count += f->client->replicas[i]->depth == RPC_DEPTH_BEHIND;
    return count;
}

static void ask_often(struct rpc_fixture *f)
{
    for (int i = 1; i <= 40; i++) {
        struct outcome out = {0};
        assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
        PUMP(f, out.calls == 1);
        assert_int_equal(out.err, SH_OK);
        free(out.payload);
    }
}

static void who_is_behind_is_asked_only_when_all_are(void **state)
{
    struct rpc_fixture *f = *state;
    bool behind[] = {true, false};
    start(f, 2, 0);
    for (size_t i = 0; i < 2; i++)
        sh_rpc_server_on_behind(f->servers[i].rpc, is_set, &behind[i]);
    PUMP(f, heard_to_be_behind(f) == 1); /* by a PONG */
    ask_often(f);
    assert_int_equal(f->servers[0].calls, 0);
    assert_int_equal(f->servers[1].calls, 40);
    behind[1] = true;
    PUMP(f, heard_to_be_behind(f) == 2);
    ask_often(f);
    assert_true(f->servers[0].calls > 0 && f->servers[1].calls > 40);
    behind[0] = false;
    PUMP(f, heard_to_be_behind(f) == 1);
    size_t before = f->servers[1].calls;
    ask_often(f);
    assert_int_equal(f->servers[1].calls, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_state_is_known_while_all_replicas_say_the_same,
                                        fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(one_that_says_nothing_makes_it_unknown,
                                        fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_is_behind_is_asked_only_when_all_are,
                                        fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_hears_of_a_write_knows_the_state_after_it,
                                        fixture_set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests_name("rpc_state", tests, NULL, NULL);
}
