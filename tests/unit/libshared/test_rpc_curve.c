/* The bus with keys: who is let in, who is not, and how keys are replaced. */
#include "libshared/src/rpc_curve.h"

#include "libshared/src/rpc_socket.h"
#include "shared/metrics.h"
#include "tests/unit/libshared/rpc_fixture.h"

#include "tests/unit/libshared/keys_fixture.h"

static struct keys_dir dir;
static struct pair own; /* of this process, which is both sides */
static struct rpc_gate *gate;

static int set_up(void **state)
{
    fixture_set_up(state);
    dir = keys_dir_new();
    own = pair_new();
    return 0;
}

static int tear_down(void **state)
{
    struct rpc_fixture *f = *state;
    sh_rpc_client_close(&f->client);
    for (size_t i = 0; i < SERVERS; i++)
        sh_rpc_server_close(&f->servers[i].rpc);
    rpc_gate_close(&gate);
    rpc_keys_install(NULL);
    keys_dir_remove(&dir);
    return fixture_tear_down(state);
}

/* This process is the service "test", and may call itself. */
static void become_test(struct rpc_fixture *f)
{
    keys_dir_put(&dir, "test.pub", own.open);
    keys_use(&dir, "test", &own, "test");
    assert_int_equal(rpc_gate_open(f->zmq, &gate), SH_OK);
}

static double refused(const char *reason)
{
    struct sh_buffer text = {0};
    char line[128];
    (void)snprintf(line, sizeof(line), "\ncairn_rpc_refused_peers_total{reason=\"%s\"} ",
                   reason);
    sh_metrics_render(&text, false);
    sh_buffer_append(&text, "", 1);
    assert_int_equal(text.err, SH_OK);
    const char *at = strstr(text.data, line);
    double value = at ? strtod(at + strlen(line), NULL) : 0;
    sh_buffer_free(&text);
    return value;
}

static void expect_answer(struct rpc_fixture *f)
{
    struct outcome outcome = {0};
    assert_int_equal(ask(f, METHOD_ECHO, SH_RPC_READ, &outcome), SH_OK);
    PUMP(f, outcome.calls == 1);
    assert_int_equal(outcome.err, SH_OK);
    assert_string_equal(outcome.payload, "hello");
    free(outcome.payload);
}

/* --- strangers -------------------------------------------------------------------- */

static void *dealer(struct rpc_fixture *f, const char *server_key,
                    const struct pair *pair)
{
    int linger = 0;
    void *socket = sh_zmq_socket_new(f->zmq, ZMQ_DEALER);
    assert_non_null(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
    if (pair) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, RPC_KEY_TEXT + 1);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, pair->open, RPC_KEY_TEXT + 1);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair->secret, RPC_KEY_TEXT + 1);
    }
    assert_int_equal(zmq_connect(socket, sh_rpc_server_endpoint(f->servers[0].rpc)), 0);
    uint8_t header[ENVELOPE_BYTES];
    struct envelope hello = {.type = TYPE_HELLO, .epoch = 1};
    envelope_write(&hello, header);
    zmq_send(socket, header, sizeof(header), ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
    return socket;
}

static bool has_answer(void *socket)
{
    int events = 0;
    size_t size = sizeof(events);
    zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
    return (events & ZMQ_POLLIN) != 0;
}

/* It is counted and hears nothing, while the others are served. */
static void expect_refused(struct rpc_fixture *f, void *socket, const char *reason,
                           double before)
{
    PUMP(f, refused(reason) > before);
    expect_answer(f);
    assert_false(has_answer(socket));
    zmq_close(socket);
}

static void with_keys_the_bus_works_as_without(void **state)
{
    struct rpc_fixture *f = *state;
    size_t len = 3 << 20; /* in pieces */
    char *text = calloc(1, len);
    struct outcome outcome = {0};
    become_test(f);
    start(f, 2, 0);
    expect_answer(f);
    struct sh_rpc_request request = request_of(METHOD_BIG, SH_RPC_READ, PATIENCE_MS);
    request.payload = (struct sh_bytes){text, len};
    assert_int_equal(sh_rpc_send(f->client, &request, on_done, &outcome, NULL), SH_OK);
    PUMP(f, outcome.calls == 1);
    assert_int_equal(outcome.err, SH_OK);
    assert_int_equal(outcome.len, len);
    free(outcome.payload);
    free(text);
}

static void unix_sockets_have_keys_too(void **state)
{
    struct rpc_fixture *f = *state;
    char endpoint[128];
    double before = refused("without_key");
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/bus", dir.path);
    become_test(f);
    serve(f, 0, endpoint, 0);
    connect_to(f, endpoint);
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    void *socket = dealer(f, NULL, NULL);
    expect_refused(f, socket, "without_key", before);
}

static void a_caller_without_a_key_is_refused(void **state)
{
    struct rpc_fixture *f = *state;
    double before = refused("without_key");
    become_test(f);
    start(f, 1, 0);
    expect_refused(f, dealer(f, NULL, NULL), "without_key", before);
}

static void a_key_that_is_not_known_is_refused(void **state)
{
    struct rpc_fixture *f = *state;
    struct pair stranger = pair_new();
    double before = refused("unknown_key");
    become_test(f);
    start(f, 1, 0);
    expect_refused(f, dealer(f, own.open, &stranger), "unknown_key", before);
}

static void a_known_key_that_may_not_call_is_refused(void **state)
{
    struct rpc_fixture *f = *state;
    struct pair graph = pair_new();
    double before = refused("unknown_key");
    keys_dir_put(&dir, "graph.pub", graph.open);
    become_test(f);
    start(f, 1, 0);
    expect_refused(f, dealer(f, own.open, &graph), "unknown_key", before);
}

static void who_takes_us_for_another_is_refused(void **state)
{
    struct rpc_fixture *f = *state;
    struct pair other = pair_new();
    double before = refused("wrong_server_key");
    become_test(f);
    start(f, 1, 0);
    expect_refused(f, dealer(f, other.open, &own), "wrong_server_key", before);
}

/* libzmq lets everybody in when nobody answers for it. */
static void without_a_gate_nobody_gets_beyond_hello(void **state)
{
    struct rpc_fixture *f = *state;
    double before = refused("revoked_key");
    become_test(f);
    rpc_gate_close(&gate);
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    void *socket = dealer(f, own.open, &own);
    PUMP(f, refused("revoked_key") > before);
    assert_false(has_answer(socket));
    zmq_close(socket);
}

static void a_server_without_keys_refuses_callers_with_keys(void **state)
{
    struct rpc_fixture *f = *state;
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    connect_to(f, sh_rpc_server_endpoint(f->servers[0].rpc));
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    double before = refused("with_key");
    struct pair stranger = pair_new();
    expect_refused(f, dealer(f, stranger.open, &stranger), "with_key", before);
}

static void one_gate_a_process(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_gate *second = NULL;
    become_test(f);
    assert_int_equal(rpc_gate_open(f->zmq, &second), SH_CONFLICT);
    assert_null(second);
}

/* --- keys change ------------------------------------------------------------------ */

static void a_caller_taken_out_loses_its_connection(void **state)
{
    struct rpc_fixture *f = *state;
    double before = refused("revoked_key");
    double unknown = refused("unknown_key");
    become_test(f);
    start(f, 1, 0);
    expect_answer(f);
    keys_use(&dir, "test", &own, "");
    PUMP(f, sh_rpc_client_ready(f->client) == 0);
    assert_true(refused("revoked_key") > before);
    PUMP(f, refused("unknown_key") > unknown); /* it came back */
    assert_int_equal(sh_rpc_client_ready(f->client), 0);
    keys_use(&dir, "test", &own, "test");
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    expect_answer(f);
}

static void reading_keys_again_disturbs_nobody(void **state)
{
    struct rpc_fixture *f = *state;
    become_test(f);
    start(f, 1, 0);
    int changes = f->changes;
    keys_use(&dir, "test", &own, "test");
    pump_for(f, 600); /* two looks at the ring */
    expect_answer(f);
    assert_int_equal(f->changes, changes);
}

static void either_of_two_keys_of_a_service_will_do(void **state)
{
    struct rpc_fixture *f = *state;
    struct pair old = pair_new();
    char text[128];
    (void)snprintf(text, sizeof(text), "%s\n%s\n", old.open, own.open);
    keys_dir_put(&dir, "test.pub", text);
    keys_use(&dir, "test", &own, "test");
    assert_int_equal(rpc_gate_open(f->zmq, &gate), SH_OK);
    start(f, 1, 0); /* the first key is refused, the second is not */
    expect_answer(f);
}

static void a_new_key_in_the_directory_is_found(void **state)
{
    struct rpc_fixture *f = *state;
    struct pair wrong = pair_new();
    keys_dir_put(&dir, "gateway.pub", own.open);
    keys_use(&dir, "gateway", &own, "gateway");
    assert_int_equal(rpc_gate_open(f->zmq, &gate), SH_OK);
    serve(f, 0, "tcp://127.0.0.1:0", 0);
    connect_to(f, sh_rpc_server_endpoint(f->servers[0].rpc));
    pump_for(f, 300); /* there is no key of "test" at all */
    assert_int_equal(sh_rpc_client_ready(f->client), 0);

    double before = refused("wrong_server_key");
    keys_dir_put(&dir, "test.pub", wrong.open);
    keys_use(&dir, "gateway", &own, "gateway");
    PUMP(f, refused("wrong_server_key") > before);
    assert_int_equal(sh_rpc_client_ready(f->client), 0);

    keys_dir_put(&dir, "test.pub", own.open);
    keys_use(&dir, "gateway", &own, "gateway");
    PUMP(f, sh_rpc_client_ready(f->client) == 1);
    expect_answer(f);
}

/* --- plain ------------------------------------------------------------------------ */

static void plain_stays_on_the_machine_where_it_must(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_keys_options options = {
        .service = "test", .secret = "", .directory = "", .callers = ""};
    struct sh_rpc_client_options client = {
        .service = "test", .endpoints = "tcp://127.0.0.1:9,tcp://10.0.0.1:9"};
    struct rpc_keys *keys = NULL;
    struct sh_buffer faults = {0};
    assert_int_equal(rpc_keys_read(&options, &keys, &faults), SH_OK);
    rpc_keys_install(keys);
    assert_int_equal(sh_rpc_client_create(f->zmq, &client, &f->client), SH_INVALID);
    client.endpoints = "tcp://search:5601";
    assert_int_equal(sh_rpc_client_create(f->zmq, &client, &f->client), SH_INVALID);
    assert_false(rpc_curve_refuses("tcp://127.0.0.1:9, ipc:///run/x, tcp://[::1]:9"));
    options.remote = true;
    assert_int_equal(rpc_keys_read(&options, &keys, &faults), SH_OK);
    rpc_keys_install(keys);
    assert_false(rpc_curve_refuses("tcp://10.0.0.1:9"));
}

static void names_are_not_taken_for_loopback(void **state)
{
    (void)state;
    assert_false(rpc_curve_exposed("tcp://localhost:1"));
    assert_false(rpc_curve_exposed("tcp://127.255.0.1:1"));
    assert_true(rpc_curve_exposed("tcp://127.example.com:1"));
    assert_true(rpc_curve_exposed("tcp://localhost.example.com:1"));
    assert_true(rpc_curve_exposed("tcp://[::]:1"));
    assert_true(rpc_curve_exposed("tcp://"));
    assert_true(rpc_curve_exposed("tcp://127.0.0.1"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(with_keys_the_bus_works_as_without),
        T(unix_sockets_have_keys_too),
        T(a_caller_without_a_key_is_refused),
        T(a_key_that_is_not_known_is_refused),
        T(a_known_key_that_may_not_call_is_refused),
        T(who_takes_us_for_another_is_refused),
        T(without_a_gate_nobody_gets_beyond_hello),
        T(a_server_without_keys_refuses_callers_with_keys),
        T(one_gate_a_process),
        T(a_caller_taken_out_loses_its_connection),
        T(reading_keys_again_disturbs_nobody),
        T(either_of_two_keys_of_a_service_will_do),
        T(a_new_key_in_the_directory_is_found),
        T(plain_stays_on_the_machine_where_it_must),
        T(names_are_not_taken_for_loopback),
    };
    sh_log_set_level(SH_CRITICAL);
    return cmocka_run_group_tests_name("rpc_curve", tests, NULL, NULL);
}
