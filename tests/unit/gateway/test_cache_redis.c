/* The result cache in Redis: what other gateways find there, what somebody else made of
 * it, and how it is cleared. */
#include <signal.h>

#include "cache_fixture.h"

/* --- Redis as somebody else sees it ----------------------------------------------- */

static int redis_pid(void)
{
    redisReply *info = redis("INFO server");
    const char *at = strstr(info->str, "process_id:");

    assert_non_null(at);
    int pid = (int)strtol(at + strlen("process_id:"), NULL, 10);
    freeReplyObject(info);
    return pid;
}

/* Every kept answer becomes what `change` makes of it; NULL: it goes. Returns how many
 * there were. */
static size_t poison(void (*change)(struct sh_buffer *value))
{
    redisReply *names = redis("KEYS cairn:search:????????????????:*");

    for (size_t i = 0; i < names->elements; i++) {
        const char *name = names->element[i]->str;
        struct sh_buffer value = {0};
        redisReply *before = redisCommand(other(), "GET %s", name);
        sh_buffer_append(&value, before->str, before->len);
        if (change != NULL) {
            change(&value);
            freeReplyObject(
                redisCommand(other(), "SET %s %b EX 900", name, value.data, value.len));
        } else {
            freeReplyObject(redisCommand(other(), "DEL %s", name));
        }
        freeReplyObject(before);
        sh_buffer_free(&value);
    }
    size_t count = names->elements;
    freeReplyObject(names);
    return count;
}

static int start_without_redis(void **state)
{
    with_redis = false;
    int failed = start(state);
    with_redis = true;
    return failed;
}

static int start_without_memory(void **state)
{
    settings.memory_mb = 0;
    int failed = start(state);
    settings.memory_mb = 8;
    return failed;
}

/* --- a second gateway ------------------------------------------------------------- */

/* A second gateway on the same loop, with memory of its own. */
struct second {
    struct gateway gateway;
    struct edge edge;
};

static void second_open(struct fixture *f, struct second *second)
{
    second->gateway = f->gateway;
    assert_int_equal(cache_create(&settings, &second->gateway.answers), SH_OK);
    second->gateway.answers->redis_ms = PATIENCE_MS;
    assert_int_equal(edge_open(&second->edge, &second->gateway, &f->loop, f->zmq, 0),
                     SH_OK);
    pump_until(f, sh_rpc_client_state(second->edge.peers[PEER_SEARCH]) == 1 &&
                      atomic_load(&second->gateway.answers->epoch) != 0);
}

static void second_close(struct fixture *f, struct second *second)
{
    (void)f;
    edge_close(&second->edge);
    cache_free(&second->gateway.answers);
}

/* The fixture speaks to that one. */
static const char *search_second(struct fixture *f, struct second *second,
                                 const char *body)
{
    struct sh_http_server *own = f->edge.server;

    f->edge.server = second->edge.server;
    const char *answer = search(f, body);
    f->edge.server = own;
    return answer;
}

static void await_kept(struct fixture *f, long long count)
{
    pump_until(f, redis_number("DBSIZE") == count + 1);
}

/* --- shared ----------------------------------------------------------------------- */

static void another_gateway_finds_it_in_redis(void **state)
{
    struct fixture *f = *state;
    struct second second = {0};

    second_open(f, &second);
    search(f, walrus);
    await_kept(f, 1);
    assert_says(search_second(f, &second, walrus), "\"from_cache\":true");
    assert_int_equal(f->queries, 1);
    freeReplyObject(redis("FLUSHALL"));
    assert_says(search_second(f, &second, walrus), "\"from_cache\":true"); /* memory */
    assert_says(search_second(f, &second,
                              "{\"query\":\"walrus\",\"user\":{\"role\":\"student\"}}"),
                "\"from_cache\":false");
    second_close(f, &second);
}

static void redis_alone_keeps_too(void **state)
{
    struct fixture *f = *state;

    search(f, walrus);
    await_kept(f, 1);
    assert_says(search(f, walrus), "\"from_cache\":true");
    assert_int_equal(f->queries, 1);
    redisReply *names = redis("KEYS cairn:search:????????????????:*");
    assert_int_equal(names->elements, 1);
    redisReply *ttl = redisCommand(other(), "TTL %s", names->element[0]->str);
    assert_true(ttl->integer > 0 && ttl->integer <= 900);
    freeReplyObject(ttl);
    freeReplyObject(names);
}

/* --- spoilt ----------------------------------------------------------------------- */

static void cut_it(struct sh_buffer *value)
{
    value->len /= 2;
}

static void empty_it(struct sh_buffer *value)
{
    value->len = 0;
}

static void flip_it(struct sh_buffer *value)
{
    value->data[value->len - 3] ^= 1;
}

static void swap_it(struct sh_buffer *value)
{
    struct sh_buffer other_key = {0};

    kept_begin(&other_key, sh_bytes_of("another question"));
    sh_buffer_text(&other_key, "{\"results\":[\"stolen\"]");
    size_t middle = kept_middle(&other_key);
    sh_buffer_text(&other_key, ",\"mode\":\"text\"}");
    kept_end(&other_key, middle, strlen("another question"), 1, cache_now_ms() + 100000);
    sh_buffer_clear(value);
    sh_buffer_append(value, other_key.data, other_key.len);
    sh_buffer_free(&other_key);
}

static void forever_it(struct sh_buffer *value)
{
    struct sh_buffer made = {0};
    struct kept kept = kept_parts(sh_buffer_bytes(value));

    kept_begin(&made, kept.key);
    sh_buffer_append(&made, kept.head.data, kept.head.len);
    size_t middle = kept_middle(&made);
    sh_buffer_append(&made, kept.tail.data, kept.tail.len);
    kept_end(&made, middle, kept.key.len, 1, UINT64_MAX);
    sh_buffer_clear(value);
    sh_buffer_append(value, made.data, made.len);
    sh_buffer_free(&made);
}

static void poison_one(struct fixture *f, size_t number,
                       void (*change)(struct sh_buffer *value))
{
    char body[64];
    int before = f->queries;
    double sets = counted("set");

    (void)snprintf(body, sizeof body, "{\"query\":\"poison %zu\"}", number);
    search(f, body);
    await_kept(f, 1);
    assert_int_equal(poison(change), 1);
    const char *answer = search(f, body);
    assert_says(answer, "\"from_cache\":false");
    assert_null(strstr(answer, "stolen"));
    assert_int_equal(f->queries, before + 2);
    pump_until(f, counted("set") == sets + 2);
    poison(NULL);
}

static void what_redis_was_made_to_hold_is_no_answer(void **state)
{
    static void (*const changes[])(struct sh_buffer * value) = {cut_it, empty_it, flip_it,
                                                                swap_it, forever_it};

    for (size_t i = 0; i < SH_COUNT(changes); i++)
        poison_one(*state, i, changes[i]);
}

/* --- away, and cleared ------------------------------------------------------------ */

static int stopped;

static int wake_redis(void **state)
{
    (void)kill(stopped, SIGCONT);
    return tear_down(state);
}

static void a_redis_that_does_not_answer_is_not_waited_for(void **state)
{
    struct fixture *f = *state;

    f->gateway.answers->redis_ms = 50;
    stopped = redis_pid();
    assert_int_equal(kill(stopped, SIGSTOP), 0);
    assert_says(search(f, walrus), "\"from_cache\":false");
    assert_says(search(f, walrus), "\"from_cache\":true"); /* memory */
    assert_says(search(f, "{\"query\":\"y\"}"), "\"from_cache\":false");
}

static void without_redis_there_is_memory(void **state)
{
    struct fixture *f = *state;

    search(f, walrus);
    assert_says(search(f, walrus), "\"from_cache\":true");
    assert_int_equal(f->queries, 1);
    const char *answer = post(f, "/api/admin/cache/clear", "", "");
    assert_says(answer, "HTTP/1.1 200 OK");
    assert_says(answer, "{\"cleared\":1,\"everywhere\":false}");
    assert_says(search(f, walrus), "\"from_cache\":false");
}

static void clearing_is_for_all_gateways(void **state)
{
    struct fixture *f = *state;
    struct second second = {0};

    second_open(f, &second);
    search(f, walrus);
    await_kept(f, 1);
    assert_says(search_second(f, &second, walrus), "\"from_cache\":true");
    uint64_t before = atomic_load(&second.gateway.answers->epoch);
    assert_says(post(f, "/api/admin/cache/clear", "", ""),
                "{\"cleared\":1,\"everywhere\":true}");
    assert_says(search(f, walrus), "\"from_cache\":false");
    pump_until(f, atomic_load(&second.gateway.answers->epoch) ==
                      atomic_load(&f->gateway.answers->epoch));
    assert_true(atomic_load(&f->gateway.answers->epoch) != before);
    assert_int_equal(shelf_clear(second.gateway.answers->shelf), 0);
    assert_int_equal(f->queries, 2);
    second_close(f, &second);
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(another_gateway_finds_it_in_redis),
        cmocka_unit_test_setup_teardown(redis_alone_keeps_too, start_without_memory,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_redis_was_made_to_hold_is_no_answer,
                                        start_without_memory, tear_down),
        cmocka_unit_test_setup_teardown(a_redis_that_does_not_answer_is_not_waited_for,
                                        start, wake_redis),
        cmocka_unit_test_setup_teardown(without_redis_there_is_memory,
                                        start_without_redis, tear_down),
        TEST(clearing_is_for_all_gateways),
    };
    return cmocka_run_group_tests_name("cache_redis", tests, NULL, NULL);
}
