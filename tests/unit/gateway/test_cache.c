/* The result cache behind HTTP: what is given from it, to whom, and what never is. */
#include "services/gateway/cache/flight.h"

static void add_cache(void *fixture);
#define BEFORE_EDGE(f) add_cache(f)
#include "gateway_fixture.h"

#include <hiredis/hiredis.h>
#include <signal.h>

#include "tests/support/servers.h"

enum { CLIENTS = 5 };

static struct cache_config settings = {.memory_mb = 8, .ttl_s = 900};
static bool with_redis = true;

static void use_redis(struct gateway *gateway)
{
    if (with_redis)
        gateway->redis_config.url = getenv("TEST_REDIS_URL");
    gateway->redis_config.timeout_ms = PATIENCE_MS;
}

static void add_cache(void *fixture)
{
    struct fixture *f = fixture;

    use_redis(&f->gateway);
    f->whole = true;
    f->generation = 1;
    sh_rpc_server_set_state(f->search, 1);
    assert_int_equal(cache_create(&settings, &f->gateway.answers), SH_OK);
    f->gateway.answers->redis_ms = PATIENCE_MS; /* however slow the machine */
}

/* --- Redis as somebody else sees it ------------------------------------------------- */

static redisContext *other(void)
{
    static redisContext *context;

    if (context == NULL)
        context = redisConnectUnix(getenv("TEST_REDIS_URL") + strlen("unix://"));
    assert_non_null(context);
    assert_int_equal(context->err, 0);
    return context;
}

static redisReply *redis(const char *command)
{
    redisReply *reply = redisCommand(other(), command);

    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    return reply;
}

static long long redis_number(const char *command)
{
    redisReply *reply = redis(command);
    long long number = reply->integer;

    freeReplyObject(reply);
    return number;
}

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

/* --- asking ------------------------------------------------------------------------- */

static const char walrus[] = "{\"query\":\"walrus\",\"user\":{\"user_id\":\"u1\","
                             "\"role\":\"staff\"}}";

static const char *search(struct fixture *f, const char *body)
{
    return post(f, "/api/search", "", body);
}

static int begin(struct fixture *f, const char *body)
{
    char request[1024];
    int fd = dial(f);

    (void)snprintf(request, sizeof request,
                   "POST /api/search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    say(fd, request);
    return fd;
}

static const char *finish(struct fixture *f, int fd)
{
    f->heard_len = 0;
    f->heard[0] = '\0';
    f->heard_end = false;
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
    return f->heard;
}

static double counted(const char *operation)
{
    char name[96];
    struct sh_buffer text = {0};
    double value = 0;

    (void)snprintf(name, sizeof name,
                   "\ncache_operations_total{operation=\"%s\",status=\"success\"} ",
                   operation);
    sh_metrics_render(&text, false);
    sh_buffer_append(&text, "", 1);
    const char *at = strstr(text.data, name);
    if (at != NULL)
        value = strtod(at + strlen(name), NULL);
    sh_buffer_free(&text);
    return value;
}

static void in_state(struct fixture *f, uint64_t state)
{
    f->generation = state;
    sh_rpc_server_set_state(f->search, state);
    pump_until(f, sh_rpc_client_state(f->edge.peers[PEER_SEARCH]) == state);
}

static int start(void **state)
{
    freeReplyObject(redis("FLUSHALL"));
    int failed = set_up(state);
    struct fixture *f = *state;

    if (with_redis)
        pump_until(f, atomic_load(&f->gateway.answers->epoch) != 0);
    pump_until(f, sh_rpc_client_state(f->edge.peers[PEER_SEARCH]) == 1);
    return failed;
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

static int start_without_ttl(void **state)
{
    settings.ttl_s = 0;
    with_redis = false;
    int failed = start(state);
    settings.ttl_s = 900;
    with_redis = true;
    return failed;
}

/* --- what is kept ------------------------------------------------------------------- */

static void the_same_again_comes_from_memory(void **state)
{
    static char first[8192];
    struct fixture *f = *state;
    double hits = counted("hit");

    (void)snprintf(first, sizeof first, "%s", search(f, walrus));
    assert_says(first, "\"from_cache\":false,\"request_id\":\"req_");
    const char *again =
        search(f, "{\"config\":{},\"filters\":{},\"query\":\"  walrus\\n\","
                  "\"user\":{\"role\":\"staff\",\"user_id\":\"u2\"}}");
    assert_int_equal(f->queries, 1);
    assert_says(again, "HTTP/1.1 200 OK");
    assert_says(again, "\"count\":1,\"total\":7,\"query\":\"walrus\"");
    assert_says(again, "\"from_cache\":true,\"request_id\":\"req_");
    assert_says(again, "\"user_id\":\"u2\"");
    assert_says(again, "\"mode\":\"hybrid\",\"degraded\":[],\"generation\":\"");
    assert_says(again, ",\"expanded\":[{");
    const char *results = strstr(first, "{\"results\"");
    assert_non_null(results);
    size_t len = (size_t)(strstr(results, "\"response_time\"") - results);
    assert_memory_equal(strstr(again, "{\"results\""), results, len);
    assert_null(strstr(again, strstr(first, "\"request_id\"")));
    assert_true(counted("hit") == hits + 1);
}

static void what_is_written_in_two_ways_is_one_question(void **state)
{
    struct fixture *f = *state;

    search(f, "{\"query\":\"caf\xc3\xa9\",\"filters\":{\"campus\":\"C\","
              "\"department\":\"IT\"}}");
    const char *again = search(f, "{\"query\":\"cafe\xcc\x81\",\"filters\":"
                                  "{\"department\":\"IT\",\"campus\":\"C\"}}");
    assert_says(again, "\"from_cache\":true");
    assert_says(again, "\"query\":\"cafe\xcc\x81\""); /* as it was asked */
    assert_int_equal(f->queries, 1);
    assert_says(get(f, "/api/search?q=caf%C3%A9&department=IT&campus=C"),
                "\"from_cache\":true");
}

static void a_change_makes_it_unreachable(void **state)
{
    struct fixture *f = *state;

    search(f, walrus);
    assert_says(search(f, walrus), "\"from_cache\":true");
    in_state(f, 2);
    assert_says(search(f, walrus), "\"from_cache\":false");
    assert_int_equal(f->queries, 2);
    assert_says(search(f, walrus), "\"from_cache\":true");
}

/* Search may be further than it has told. */
static void an_answer_is_kept_under_its_own_state(void **state)
{
    struct fixture *f = *state;

    f->generation = 2;
    search(f, walrus);
    assert_says(search(f, walrus), "\"from_cache\":false"); /* nothing is kept under 1 */
    in_state(f, 2);
    assert_says(search(f, walrus), "\"from_cache\":true");
    assert_int_equal(f->queries, 2);
}

static const char *const roles[] = {"anonymous", "student", "staff", "academic", "admin"};
static const char *const places[] = {"", "IT", "HR"};
enum { PLACES = SH_COUNT(places), MEMBERS = SH_COUNT(roles) * PLACES * PLACES };

static void search_as(struct fixture *f, size_t member, bool from_cache)
{
    const char *role = roles[member / PLACES / PLACES];
    char body[256], text[64];

    (void)snprintf(body, sizeof body,
                   "{\"query\":\"x\",\"user\":{\"role\":\"%s\","
                   "\"department\":\"%s\",\"campus\":\"%s\"}}",
                   role, places[member / PLACES % PLACES], places[member % PLACES]);
    (void)snprintf(text, sizeof text, "\"text\":\"%s\"", role);
    const char *answer = search(f, body);
    assert_says(answer, text);
    assert_says(answer, from_cache ? "\"from_cache\":true" : "\"from_cache\":false");
}

/* Who has other rights never gets it, whoever asked before. */
static void nobody_gets_what_was_found_for_others(void **state)
{
    struct fixture *f = *state;

    f->tell_role = true;
    for (size_t i = 0; i < MEMBERS; i++)
        search_as(f, i, false);
    assert_int_equal(f->queries, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        search_as(f, i, true);
    assert_int_equal(f->queries, MEMBERS);
}

static void search_known(struct fixture *f, int times)
{
    static const char body[] =
        "{\"query\":\"caf\\u00e9\",\"user\":{\"user_id\":\"u9\",\"role\":"
        "\"student\",\"department\":\"IT\"},\"filters\":{\"campus\":\"C\"},"
        "\"config\":{\"explain\":true,\"max_results\":7}}";

    f->seen[0] = '\0';
    const char *answer = search(f, body);
    assert_says(answer, "\"query\":\"caf\xc3\xa9\"");
    assert_says(answer, "\"user_id\":\"u9\"");
    assert_string_equal(f->seen, "[caf\xc3\xa9] max 7 filters {\"campus\":\"C\"} "
                                 "mode 0 role student/2");
    assert_int_equal(f->queries, times);
    assert_says(search(f, "{\"query\":7}"), "\"field\":\"query\"");
}

/* Bodies are not parsed again; what they say is the same nevertheless. */
static void a_body_that_comes_again_says_the_same(void **state)
{
    for (int times = 1; times <= 3; times++)
        search_known(*state, times);
}

/* --- what is not -------------------------------------------------------------------- */

static void twice(struct fixture *f, const char *body, const char *says)
{
    int before = f->queries;

    assert_says(search(f, body), says);
    assert_says(search(f, body), says);
    assert_int_equal(f->queries, before + 2);
}

static void what_is_not_whole_is_not_kept(void **state)
{
    struct fixture *f = *state;

    f->whole = false;
    twice(f, walrus, "\"degraded\":[\"embedding\"]");
    f->fail_with = SH_UNAVAILABLE;
    twice(f, walrus, "HTTP/1.1 503 ");
    f->fail_with = SH_INVALID;
    twice(f, walrus, "HTTP/1.1 400 ");
    f->fail_with = SH_OK;
    f->whole = true;
    f->generation = 0; /* it does not say what it was found in */
    twice(f, walrus, "\"from_cache\":false");
    assert_int_equal(redis_number("DBSIZE"), 1); /* the epoch */
}

static void explanations_are_of_the_moment(void **state)
{
    struct fixture *f = *state;

    twice(f, "{\"query\":\"x\",\"config\":{\"explain\":true}}", "\"from_cache\":false");
}

static void nothing_is_kept_while_the_state_is_not_known(void **state)
{
    struct fixture *f = *state;

    search(f, walrus);
    sh_rpc_server_set_state(f->search, 0);
    pump_until(f, sh_rpc_client_state(f->edge.peers[PEER_SEARCH]) == 0);
    twice(f, walrus, "\"from_cache\":false");
}

static void nothing_is_kept_without_a_time_to_live(void **state)
{
    twice(*state, walrus, "\"from_cache\":false");
}

static void long_questions_are_only_asked(void **state)
{
    static char body[20000];

    (void)snprintf(body, sizeof body,
                   "{\"query\":\"x\",\"filters\":{\"metadata\":{\"a\":\"%*s\"}}}", 10000,
                   "");
    twice(*state, body, "HTTP/1.1 200 ");
}

/* --- together ----------------------------------------------------------------------- */

static void begin_all(struct fixture *f, int fds[CLIENTS])
{
    double shared = counted("shared");

    f->hold = true;
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = begin(f, walrus);
    pump_until(f, counted("shared") == shared + CLIENTS - 1 && f->held_count == 1);
}

static void release(struct fixture *f)
{
    struct sh_rpc_call *call = f->held[0];

    f->hold = false;
    f->held_count = 0;
    query_reply(f, call);
}

static void the_same_at_the_same_time_is_searched_once(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        assert_says(finish(f, fds[i]), "\"from_cache\":false");
    assert_int_equal(f->queries, 1);
    assert_says(search(f, walrus), "\"from_cache\":true");
}

static void others_do_not_wait_with_them(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    f->hold = false;
    assert_says(search(f, "{\"query\":\"walrus\",\"user\":{\"role\":\"student\"}}"),
                "HTTP/1.1 200 ");
    assert_int_equal(f->queries, 2);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        finish(f, fds[i]);
}

static void who_comes_after_a_change_does_not_join(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    f->hold = false;
    in_state(f, 2);
    assert_says(search(f, walrus), "HTTP/1.1 200 ");
    assert_int_equal(f->queries, 2);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        finish(f, fds[i]);
}

static void the_first_may_leave(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    hang_up(fds[0]);
    hang_up(fds[2]);
    search(f, "{\"query\":7}"); /* some turns, in which the others were seen to leave */
    assert_int_equal(f->canceled, 0);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        if (i != 0 && i != 2)
            assert_says(finish(f, fds[i]), "HTTP/1.1 200 OK");
    assert_int_equal(f->queries, 1);
}

static void when_all_leave_it_is_cancelled(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    for (int i = 0; i < CLIENTS; i++)
        hang_up(fds[i]);
    pump_until(f, f->canceled == 1);
    release(f);
    assert_says(search(f, walrus), "\"from_cache\":false");
}

static void one_error_answers_all(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    f->fail_with = SH_INTERNAL;
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        assert_says(finish(f, fds[i]), "HTTP/1.1 500 ");
    assert_int_equal(f->queries, 1);
    f->fail_with = SH_OK;
    assert_says(search(f, walrus), "\"from_cache\":false");
}

static void an_end_with_searches_under_way_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    edge_close(&f->edge);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    sh_rpc_fail(f->held[0], SH_CANCELED, NULL, NULL, "%s", "over");
    f->held_count = 0;
}

/* --- Redis -------------------------------------------------------------------------- */

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

/* What was begun before it must not come in after it. */
static void a_search_under_way_is_not_kept_after_clearing(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    post(f, "/api/admin/cache/clear", "", "");
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        assert_says(finish(f, fds[i]), "HTTP/1.1 200 OK");
    assert_says(search(f, walrus), "\"from_cache\":false");
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_same_again_comes_from_memory),
        TEST(what_is_written_in_two_ways_is_one_question),
        TEST(a_change_makes_it_unreachable),
        TEST(an_answer_is_kept_under_its_own_state),
        TEST(nobody_gets_what_was_found_for_others),
        TEST(a_body_that_comes_again_says_the_same),
        TEST(what_is_not_whole_is_not_kept),
        TEST(explanations_are_of_the_moment),
        TEST(nothing_is_kept_while_the_state_is_not_known),
        cmocka_unit_test_setup_teardown(nothing_is_kept_without_a_time_to_live,
                                        start_without_ttl, tear_down),
        TEST(long_questions_are_only_asked),
        TEST(the_same_at_the_same_time_is_searched_once),
        TEST(others_do_not_wait_with_them),
        TEST(who_comes_after_a_change_does_not_join),
        TEST(the_first_may_leave),
        TEST(when_all_leave_it_is_cancelled),
        TEST(one_error_answers_all),
        TEST(an_end_with_searches_under_way_leaves_nothing),
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
        TEST(a_search_under_way_is_not_kept_after_clearing),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
