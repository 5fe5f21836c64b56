/* Who belongs to a service as its name resolves, and what happens without memory. */
#include <netdb.h>

#include "libshared/src/rpc_calling.h"
#include "tests/unit/libshared/rpc_fixture.h"

/* --- lookups ---------------------------------------------------------------------- */

struct found {
    int calls;
    size_t source;
    size_t count;
    struct rpc_endpoint endpoints[RPC_ADDRESSES_MAX];
};

static void on_found(void *arg, size_t source, const struct rpc_endpoint *endpoints,
                     size_t count)
{
    struct found *found = arg;
    found->calls++;
    found->source = source;
    found->count = count;
    memcpy(found->endpoints, endpoints, count * sizeof(endpoints[0]));
}

static struct addrinfo *numeric(const char *address)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    assert_int_equal(getaddrinfo(address, "1", &hints, &list), 0);
    return list;
}

static void answers_become_endpoints_and_failures_nothing(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_resolve *resolve = NULL;
    struct found found = {0};
    assert_int_equal(rpc_resolve_create(&f->loop,
                                        "tcp://10.0.0.1:7,tcp://search.invalid:8",
                                        on_found, &found, &resolve),
                     SH_OK);
    assert_int_equal(found.calls, 1); /* the address, at once */
    assert_string_equal(found.endpoints[0].text, "tcp://10.0.0.1:7");

    struct addrinfo *four = numeric("10.0.0.2");
    struct addrinfo *six = numeric("fd00::3");
    four->ai_next = six;
    rpc_resolve_answer(resolve, 1, 0, four);
    assert_true(found.calls == 2 && found.source == 1 && found.count == 2);
    assert_string_equal(found.endpoints[0].text, "tcp://10.0.0.2:8");
    assert_string_equal(found.endpoints[1].text, "tcp://[fd00::3]:8");
    rpc_resolve_answer(resolve, 1, UV_EAI_AGAIN, NULL);
    rpc_resolve_answer(resolve, 1, 0, NULL);
    assert_int_equal(found.calls, 2);
    four->ai_next = NULL;
    freeaddrinfo(four);
    freeaddrinfo(six);
    rpc_resolve_close(&resolve);
}

static struct rpc_endpoint endpoint_of(const struct rpc_fixture *f, size_t server)
{
    struct rpc_endpoint endpoint;
    (void)snprintf(endpoint.text, sizeof(endpoint.text), "%s",
                   sh_rpc_server_endpoint(f->servers[server].rpc));
    return endpoint;
}

/* As if the name were looked up: source 7 is no other's. */
static void three_good_lookups_without_it_drain_a_replica(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome held = {0};
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    serve(f, 1, "tcp://127.0.0.1:0", 0);
    connect_to(f, "tcp://127.0.0.1:1"); /* nobody */
    struct rpc_endpoint both[2] = {endpoint_of(f, 0), endpoint_of(f, 1)};
    rpc_members_found(f->client, 7, both, 1);
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &held), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);

    rpc_members_found(f->client, 7, &both[1], 1);
    PUMP(f, sh_rpc_client_ready(f->client) == 2);
    rpc_members_found(f->client, 7, &both[1], 1);
    rpc_members_found(f->client, 7, both, 2); /* there again: counted from the start */
    rpc_members_found(f->client, 7, &both[1], 1);
    rpc_members_found(f->client, 7, &both[1], 1);
    assert_int_equal(sh_rpc_client_ready(f->client), 2);
    rpc_members_found(f->client, 7, &both[1], 1);
    assert_int_equal(sh_rpc_client_ready(f->client), 1);
    assert_int_equal(f->client->replica_count, 3);
    held_answer(&f->servers[0]); /* what it has may finish */
    PUMP(f, held.calls == 1);
    assert_int_equal(held.err, SH_OK);
    PUMP(f, f->client->replica_count == 2); /* then it is gone */
    free(held.payload);
}

static void a_replica_that_is_named_again_returns(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome held = {0};
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    connect_to(f, "tcp://127.0.0.1:1");
    struct rpc_endpoint one = endpoint_of(f, 0);
    struct rpc_endpoint other = {"tcp://127.0.0.1:2"};
    rpc_members_found(f->client, 7, &one, 1);
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    assert_int_equal(ask(f, METHOD_HOLD, SH_RPC_READ, &held), SH_OK);
    PUMP(f, f->servers[0].held_count == 1);
    for (int i = 0; i < 3; i++)
        rpc_members_found(f->client, 7, &other, 1);
    assert_int_equal(sh_rpc_client_ready(f->client), 0);
    rpc_members_found(f->client, 7, &one, 1);
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    PUMP(f, held.calls == 1);
    free(held.payload);
}

/* --- without memory --------------------------------------------------------------- */

static void creating_survives_every_allocation_failure(void **state)
{
    struct rpc_fixture *f = *state;
    int failures = 0;
    struct sh_rpc_server_options server = {
        .service = "test", .bind = "tcp://127.0.0.1:0", .instance = "i"};
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_rpc_server_create(f->zmq, &server, &f->servers[0].rpc);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 3);
    struct sh_rpc_client_options client = {
        .service = "test", .endpoints = "tcp://127.0.0.1:1,tcp://name.invalid:2"};
    for (failures = 0; failures < 20; failures++) { /* a replica may come later */
        sh_mem_fail_after(failures);
        enum sh_err err = sh_rpc_client_create(f->zmq, &client, &f->client);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_rpc_client_close(&f->client);
    }
}

static void a_call_survives_every_allocation_failure(void **state)
{
    struct rpc_fixture *f = *state;
    int sent = 0;
    start(f, 1, 0);
    for (int n = 0; n < 40; n++) {
        struct outcome out = {0};
        struct sh_rpc_request request = request_of(METHOD_NAME, SH_RPC_WRITE, 1000);
        sh_mem_fail_after(n);
        enum sh_err err = sh_rpc_send(f->client, &request, on_done, &out, NULL);
        for (int turns = 0; turns < 20 && err == SH_OK && out.calls == 0; turns++)
            uv_run(&f->loop, UV_RUN_ONCE);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        if (err == SH_OK)
            PUMP(f, out.calls == 1);
        sent += err == SH_OK;
        free(out.payload);
    }
    assert_true(sent > 0);
    struct outcome out = {0};
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &out), SH_OK);
    PUMP(f, out.calls == 1);
    assert_int_equal(out.err, SH_OK);
    free(out.payload);
}

/* --- a request for one of them ---------------------------------------------------- */

static void a_request_may_name_its_replica(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome outs[SERVERS] = {0};
    uint64_t replicas[SERVERS];
    size_t others = 9;
    start(f, SERVERS, 0);
    assert_int_equal(sh_rpc_client_replicas(f->client, replicas, 1, &others), 1);
    assert_int_equal(others, SERVERS - 1); /* ready, but there was no room for them */
    assert_int_equal(sh_rpc_client_replicas(f->client, replicas, SERVERS, &others),
                     SERVERS);
    assert_int_equal(others, 0);
    for (size_t i = 0; i < SERVERS; i++) {
        struct sh_rpc_request request = request_of(METHOD_ECHO, SH_RPC_READ, PATIENCE_MS);
        request.replica = replicas[i];
        assert_int_equal(sh_rpc_send(f->client, &request, on_done, &outs[i], NULL),
                         SH_OK);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        PUMP(f, outs[i].calls == 1);
        assert_int_equal(outs[i].err, SH_OK);
        assert_int_equal(f->servers[i].calls, 1);
        free(outs[i].payload);
    }
}

static void what_is_meant_for_one_replica_goes_to_no_other(void **state)
{
    struct rpc_fixture *f = *state;
    struct outcome held = {0};
    struct outcome more = {0};
    struct sh_rpc_request request = request_of(METHOD_HOLD, SH_RPC_READ, PATIENCE_MS);
    uint64_t replicas[2];
    size_t others;
    start(f, 2, 1);
    assert_int_equal(sh_rpc_client_replicas(f->client, replicas, 2, &others), 2);
    request.replica = replicas[0];
    request.waits = true;
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &held, NULL), SH_OK);
    PUMP(f, f->servers[0].held_count + f->servers[1].held_count == 1);
    size_t which = f->servers[0].held_count == 1 ? 0 : 1;
    /* It has room for one: nobody is held up by those who want just this one. */
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &more, NULL), SH_BUSY);
    sh_rpc_server_close(&f->servers[which].rpc);
    PUMP(f, held.calls == 1);
    assert_int_equal(held.err, SH_UNAVAILABLE);
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &more, NULL), SH_BUSY);
    assert_int_equal(f->servers[1 - which].calls, 0);
    sh_rpc_reply_raw(f->servers[which].held[0], NULL, NULL, sh_bytes_of("")); /* owed */
    f->servers[which].held_count = 0;
    free(held.payload);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(answers_become_endpoints_and_failures_nothing),
        T(three_good_lookups_without_it_drain_a_replica),
        T(a_replica_that_is_named_again_returns),
        T(a_request_may_name_its_replica),
        T(what_is_meant_for_one_replica_goes_to_no_other),
        T(creating_survives_every_allocation_failure),
        T(a_call_survives_every_allocation_failure),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests_name("rpc_members", tests, NULL, NULL);
}
