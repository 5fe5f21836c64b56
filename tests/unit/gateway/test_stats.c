/* GET /api/admin/stats: every replica is asked, and what cannot be had holds nobody up.
 */
#define SEARCH_REPLICAS 2
#include "gateway_fixture.h"

struct replica {
    struct sh_rpc_server *server; /* the second */
    bool holds;
    struct sh_rpc_call *held;
    int canceled;
};

static struct replica second;

static void reply_health(struct sh_rpc_call *call, const char *instance, uint32_t active)
{
    const struct health_check check = {
        .name = sh_bytes_of("index"),
        .status = sh_bytes_of("healthy"),
        .response_time_s = -1,
        .detail = sh_bytes_of("{\"chunks\":7}"),
    };
    const struct health_reply reply = {
        .service = sh_bytes_of("search"),
        .version = sh_bytes_of("9.9"),
        .status = sh_bytes_of("healthy"),
        .uptime_s = 12.5,
        .resident_bytes = 4096,
        .checks = &check,
        .checks_count = 1,
        .instance = sh_bytes_of(instance),
        .cpu_s = 1.5,
        .requests = 42,
        .in_flight = 3,
        .db_pool = 10,
        .db_active = active,
    };
    sh_rpc_reply(call, health_reply_desc(), &reply);
}

static void on_health(void *arg, struct sh_rpc_call *call)
{
    (void)arg;
    reply_health(call, "one", 2);
}

static void on_canceled_health(void *arg)
{
    (void)arg;
    second.canceled++;
}

static void on_second_health(void *arg, struct sh_rpc_call *call)
{
    (void)arg;
    if (!second.holds) {
        reply_health(call, "two", 5);
        return;
    }
    sh_rpc_call_on_cancel(call, on_canceled_health, NULL);
    second.held = call;
}

static void add_health(struct sh_rpc_server *server, sh_rpc_handler_fn *handler)
{
    assert_int_equal(
        sh_rpc_server_add(server, METHOD_RPC_HEALTH, "rpc.health", 0, handler, NULL),
        SH_OK);
}

static int set_up_replicas(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    second = (struct replica){0};
    serve_at(f, "search", "search-2", &second.server);
    add_health(f->search, on_health);
    add_health(second.server, on_second_health);
    add_health(f->embedder, on_health);
    pump_until(f, sh_rpc_client_ready(f->edge.peers[PEER_SEARCH]) == 2);
    return 0;
}

static int tear_down_replicas(void **state)
{
    struct fixture *f = *state;
    char path[128];
    if (second.held != NULL) /* an answer is owed to the end */
        sh_rpc_fail(second.held, SH_CANCELED, NULL, NULL, "the end");
    sh_rpc_server_close(&second.server);
    (void)snprintf(path, sizeof path, "%s/search-2", f->folder);
    unlink(path);
    return tear_down(state);
}

static json_t *stats_in(const char *answer)
{
    json_t *json = json_loads(strstr(answer, "\r\n\r\n") + 4, 0, NULL);
    assert_non_null(json);
    return json;
}

static json_int_t integer_at(json_t *json, const char *object, const char *name)
{
    json_t *value = json_object_get(json_object_get(json, object), name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static json_t *replicas_of(json_t *json, const char *service)
{
    json_t *services = json_object_get(json, "services");
    json_t *list = json_object_get(json_object_get(services, service), "replicas");
    assert_true(json_is_array(list));
    return list;
}

static void every_replica_is_asked(void **state)
{
    struct fixture *f = *state;
    const char *answer = get(f, "/api/admin/stats");

    assert_says(answer, "HTTP/1.1 200 ");
    json_t *json = stats_in(answer);
    json_t *search = replicas_of(json, "search");
    assert_int_equal(json_array_size(search), 2);
    assert_int_equal(json_array_size(replicas_of(json, "embedder")), 1);
    assert_int_equal(json_array_size(replicas_of(json, "graph")), 0);
    assert_int_equal(json_array_size(replicas_of(json, "gateway")), 1);
    json_t *one = json_array_get(search, 0);
    assert_string_equal(json_string_value(json_object_get(one, "version")), "9.9");
    assert_int_equal(json_integer_value(json_object_get(one, "requests_total")), 42);
    assert_int_equal(integer_at(json_object_get(one, "checks"), "index", "chunks"), 7);
    /* those of three replicas, and the one of this process */
    assert_int_equal(integer_at(json, "database", "pool_size"), 31);
    assert_int_equal(integer_at(json, "database", "active_connections"), 9);
    assert_true(json_is_number(
        json_object_get(json_object_get(json, "system"), "avg_response_time")));
    json_decref(json);
}

static void without_redis_its_figures_are_null(void **state)
{
    struct fixture *f = *state;

    assert_says(get(f, "/api/admin/stats"),
                "\"cache\":{\"used_memory\":null,\"connected_clients\":null,"
                "\"keyspace_hits\":null,\"keyspace_misses\":null}");
}

static void a_replica_that_fails_is_told_of(void **state)
{
    struct fixture *f = *state;

    second.holds = true;
    int fd = dial(f);
    say(fd, "GET /api/admin/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    pump_until(f, second.held != NULL);
    sh_rpc_fail(second.held, SH_INTERNAL, NULL, NULL, "not well");
    second.held = NULL;
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
    json_t *json = stats_in(f->heard);
    json_t *search = replicas_of(json, "search");
    size_t lost = 0;
    for (size_t i = 0; i < json_array_size(search); i++)
        lost += strcmp(json_string_value(
                           json_object_get(json_array_get(search, i), "status")),
                       "unreachable") == 0;
    assert_int_equal(lost, 1);
    assert_int_equal(integer_at(json, "database", "active_connections"), 4);
    json_decref(json);
}

static void who_leaves_takes_the_questions_back(void **state)
{
    struct fixture *f = *state;

    second.holds = true;
    int fd = dial(f);
    say(fd, "GET /api/admin/stats HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, second.held != NULL);
    hang_up(fd);
    pump_until(f, second.canceled == 1);
    reply_health(second.held, "late", 0);
    second.held = NULL;
    second.holds = false;
    assert_says(get(f, "/api/admin/stats"), "HTTP/1.1 200 ");
}

static void closing_meanwhile_loses_nothing(void **state)
{
    struct fixture *f = *state;

    second.holds = true;
    int fd = dial(f);
    say(fd, "GET /api/admin/stats HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, second.held != NULL);
    edge_close(&f->edge);
    close(fd);
}

static void figures_are_for_operators(void **state)
{
    struct fixture *f = *state;

    f->gateway.auth->jwt_mode = true;
    assert_says(get(f, "/api/admin/stats"), "HTTP/1.1 401 ");
}

static void only_operators_have_all_looked_at_anew(void **state)
{
    struct fixture *f = *state;
    struct board *board = f->gateway.board;

    int fd = dial(f);
    say(fd, "GET /health?refresh=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    pump_until(f, board_asked(board) == 1);
    board_answered(board, 1);
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
    f->gateway.auth->jwt_mode = true;
    assert_says(get(f, "/health?refresh=1"), "nothing is known yet");
    assert_says(get(f, "/health/detailed?refresh=true"), "nothing is known yet");
    assert_int_equal(board_asked(board), 1);
}

#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, set_up_replicas, tear_down_replicas)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_replica_is_asked),
        TEST(without_redis_its_figures_are_null),
        TEST(a_replica_that_fails_is_told_of),
        TEST(who_leaves_takes_the_questions_back),
        TEST(closing_meanwhile_loses_nothing),
        TEST(figures_are_for_operators),
        TEST(only_operators_have_all_looked_at_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
