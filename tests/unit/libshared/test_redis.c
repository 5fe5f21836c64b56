#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "libshared/src/redis_url.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/redis.h"
#include "tests/support/servers.h"

struct fixture {
    uv_loop_t loop;
    struct sh_redis_config config;
    struct sh_redis *redis;
    redisContext *other;
};

struct outcome {
    struct fixture *f;
    size_t calls;
    size_t wanted;
    enum sh_err err;
    size_t errs[SH_ERR_COUNT];
    int type;
    size_t length;
    long long integer;
    char text[128];
    bool close;
};

static struct sh_redis_config config_of(const char *url)
{
    return (struct sh_redis_config){.url = url,
                                    .host = "localhost",
                                    .port = 6379,
                                    .password = "",
                                    .timeout_ms = 60000};
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *url = getenv("TEST_REDIS_URL");

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->config = config_of(url);
    f->other = redisConnectUnix(url + strlen("unix://"));
    assert_non_null(f->other);
    assert_int_equal(f->other->err, 0);
    freeReplyObject(redisCommand(f->other, "FLUSHALL"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sh_redis_close(&f->redis);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    redisFree(f->other);
    free(f);
    return 0;
}

static void ask(struct fixture *f, const char *format, const char *arg)
{
    redisReply *reply = redisCommand(f->other, format, arg);

    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

static bool is_connected(void *arg)
{
    const struct fixture *f = arg;

    return sh_redis_connected(f->redis);
}

static bool is_lost(void *arg)
{
    return !is_connected(arg);
}

static void connect_client(struct fixture *f)
{
    assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_OK);
    assert_true(servers_pump(&f->loop, is_connected, f));
}

static void on_done(void *arg, enum sh_err err, const redisReply *reply)
{
    struct outcome *o = arg;

    o->calls++;
    o->err = err;
    o->errs[err]++;
    assert_int_equal(err == SH_OK, reply != NULL);
    if (reply) {
        o->type = reply->type;
        o->integer = reply->integer;
        o->length = reply->len;
        (void)snprintf(o->text, sizeof(o->text), "%s", reply->str ? reply->str : "");
    }
    if (o->close)
        sh_redis_close(&o->f->redis);
}

static bool all_called(void *arg)
{
    const struct outcome *o = arg;

    return o->calls >= o->wanted;
}

static void run(struct fixture *f, const char *words, struct outcome *o)
{
    struct sh_bytes list[8];
    char copy[256];
    char *rest = NULL;
    size_t count = 0;
    size_t before = o->calls;

    (void)snprintf(copy, sizeof(copy), "%s", words);
    for (char *w = strtok_r(copy, " ", &rest); w && count < SH_COUNT(list);
         w = strtok_r(NULL, " ", &rest))
        list[count++] = sh_bytes_of(w);
    assert_int_equal(sh_redis_command(f->redis, count, list, on_done, o), SH_OK);
    assert_int_equal(o->calls, before); /* never from inside */
    o->wanted++;
}

static void await(struct fixture *f, struct outcome *o)
{
    assert_true(servers_pump(&f->loop, all_called, o));
    assert_int_equal(o->calls, o->wanted);
}

static void answers_come_in_order(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};

    connect_client(f);
    for (int i = 0; i < 3000; i++)
        run(f, "INCR counter", &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 3000);
    assert_int_equal(o.integer, 3000);
    run(f, "INCR counter extra", &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    assert_int_equal(o.type, REDIS_REPLY_ERROR);
}

static void any_bytes_pass_through(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    struct fixture *f = *state;
    struct outcome o = {.wanted = 1};
    char *big = calloc(1, SIZE);
    const struct sh_bytes words[] = {sh_bytes_of("SET"), {"a\0b", 3}, {big, SIZE}};
    const struct sh_bytes get[] = {sh_bytes_of("GET"), {"a\0b", 3}};

    assert_non_null(big);
    connect_client(f);
    assert_int_equal(sh_redis_command(f->redis, 3, words, NULL, NULL), SH_OK);
    free(big);
    assert_int_equal(sh_redis_command(f->redis, 2, get, on_done, &o), SH_OK);
    await(f, &o);
    assert_int_equal(o.length, SIZE);
}

static void is_refused_while_not_connected(void **state)
{
    struct fixture *f = *state;
    const struct sh_bytes word = sh_bytes_of("PING");
    struct outcome o = {0};

    f->config.url = "unix:///nowhere/redis.sock";
    assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_OK);
    assert_int_equal(sh_redis_command(f->redis, 1, &word, on_done, &o), SH_UNAVAILABLE);
    for (int i = 0; i < 3; i++)
        uv_run(&f->loop, UV_RUN_ONCE); /* some attempts */
    assert_false(sh_redis_connected(f->redis));
    assert_int_equal(o.calls, 0);
}

static void what_waits_is_bounded(void **state)
{
    struct fixture *f = *state;
    const struct sh_bytes word = sh_bytes_of("PING");
    struct outcome o = {0};

    connect_client(f);
    for (int i = 0; i < 10000; i++)
        run(f, "PING", &o);
    assert_int_equal(sh_redis_command(f->redis, 1, &word, on_done, &o), SH_BUSY);
    assert_int_equal(sh_redis_command(f->redis, 0, &word, on_done, &o), SH_INVALID);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 10000);
}

static void a_late_answer_costs_the_connection(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    uint64_t started;

    f->config.timeout_ms = 200;
    connect_client(f);
    started = sh_now_ms();
    run(f, "BLPOP nothing 0", &o);
    await(f, &o);
    assert_int_equal(o.err, SH_TIMEOUT);
    assert_in_range(sh_now_ms() - started, 190, SERVERS_PUMP_MS);
    assert_false(sh_redis_connected(f->redis));
    do { /* on a busy machine this answer may be late as well */
        assert_true(servers_pump(&f->loop, is_connected, f));
        run(f, "PING", &o);
        await(f, &o);
    } while (o.err == SH_TIMEOUT);
    assert_string_equal(o.text, "PONG");
}

static void a_lost_connection_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};

    connect_client(f);
    run(f, "BLPOP nothing 0", &o);
    run(f, "PING", &o);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    ask(f, "CLIENT KILL TYPE %s SKIPME yes", "normal");
    await(f, &o);
    assert_int_equal(o.errs[SH_UNAVAILABLE], 2);
    assert_true(servers_pump(&f->loop, is_connected, f));
    ask(f, "CLIENT KILL TYPE %s SKIPME yes", "normal"); /* idle this time */
    assert_true(servers_pump(&f->loop, is_lost, f));
    assert_true(servers_pump(&f->loop, is_connected, f));
}

static void close_cancels(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f};

    connect_client(f);
    for (int i = 0; i < 20; i++)
        run(f, "PING", &o);
    sh_redis_close(&f->redis);
    assert_null(f->redis);
    assert_int_equal(o.errs[SH_CANCELED], 20);
}

static void a_caller_may_close_the_client(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f, .close = true};

    connect_client(f);
    for (int i = 0; i < 20; i++)
        run(f, "PING", &o);
    await(f, &o);
    assert_int_equal(o.errs[SH_OK], 1);
    assert_int_equal(o.errs[SH_CANCELED], 19);
}

static void a_caller_may_close_it_when_the_connection_breaks(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {.f = f, .close = true};

    connect_client(f);
    run(f, "BLPOP nothing 0", &o);
    run(f, "BLPOP nothing 0", &o);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    ask(f, "CLIENT KILL TYPE %s SKIPME yes", "normal");
    await(f, &o);
    assert_int_equal(o.errs[SH_UNAVAILABLE], 1);
    assert_int_equal(o.errs[SH_CANCELED], 1);
}

struct watch {
    struct sh_health *health;
    enum sh_health_state wanted;
};

static bool has_health(void *arg)
{
    const struct watch *w = arg;

    return sh_health_overall(w->health) == w->wanted;
}

static void health_follows_the_server(void **state)
{
    struct fixture *f = *state;
    struct watch w = {.wanted = SH_HEALTHY};
    struct sh_health_check *check;

    assert_int_equal(sh_health_create(&w.health), SH_OK);
    check = sh_health_add(w.health, "cache", true);
    assert_int_equal(sh_redis_create(&f->loop, &f->config, check, &f->redis), SH_OK);
    assert_true(servers_pump(&f->loop, has_health, &w));
    ask(f, "CLIENT KILL TYPE %s SKIPME yes", "normal");
    w.wanted = SH_UNHEALTHY;
    assert_true(servers_pump(&f->loop, has_health, &w));
    w.wanted = SH_HEALTHY;
    assert_true(servers_pump(&f->loop, has_health, &w));
    sh_redis_close(&f->redis);
    sh_health_close(&w.health);
}

static unsigned free_port(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (void *)&to, len), 0);
    assert_int_equal(getsockname(fd, (void *)&to, &len), 0);
    close(fd);
    return ntohs(to.sin_port);
}

/* The password is asked for on every connection made while it is set. */
static void names_passwords_and_databases_work(void **state)
{
    struct fixture *f = *state;
    struct outcome o = {0};
    char port[8];
    char url[128];

    (void)snprintf(port, sizeof(port), "%u", free_port());
    ask(f, "CONFIG SET port %s", port);
    ask(f, "CONFIG SET requirepass %s", "p@ss word");
    (void)snprintf(url, sizeof(url), "redis://default:p%%40ss%%20word@localhost:%s/3",
                   port);
    f->config.url = url;
    connect_client(f);
    run(f, "CLIENT INFO", &o);
    await(f, &o);
    assert_int_equal(o.err, SH_OK);
    sh_redis_close(&f->redis);
    (void)snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%s", port);
    assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_OK);
    for (uint64_t until = sh_now_ms() + 300; sh_now_ms() < until;)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_false(sh_redis_connected(f->redis));
    ask(f, "CONFIG SET requirepass %s", "wrong"); /* now it is right */
    assert_true(servers_pump(&f->loop, is_connected, f));
    freeReplyObject(redisCommand(f->other, "CONFIG SET requirepass %s", ""));
    ask(f, "CONFIG SET port %s", "0");
}

static void urls_are_read(void **state)
{
    static const struct {
        const char *url;
        enum sh_err err;
        unsigned port;
        const char *where;
        const char *user;
        const char *password;
        unsigned database;
    } cases[] = {
        {"redis://h", SH_OK, 6379, "h", NULL, NULL, 0},
        {"redis://h:1/", SH_OK, 1, "h", NULL, NULL, 0},
        {"redis://:p%3a@h:70/15", SH_OK, 70, "h", NULL, "p:", 15},
        {"redis://u:p@[::1]:70/1?x=y", SH_OK, 70, "::1", "u", "p", 1},
        {"unix:///tmp/r.sock", SH_OK, 0, "/tmp/r.sock", NULL, NULL, 0},
        {"unix://:pw@/r?db=2", SH_OK, 0, "/r", NULL, "pw", 2},
        {"rediss://h", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://h:0", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://h:99999", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://h:1x", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://h/x", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://:%4@h", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://:%00@h", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://[::1", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"redis://[::1]x", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"unix://relative", SH_INVALID, 0, NULL, NULL, NULL, 0},
        {"http://h", SH_INVALID, 0, NULL, NULL, NULL, 0},
    };
    struct redis_address address;
    const char *why;

    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_redis_config config = config_of(cases[i].url);
        assert_int_equal(redis_address_read(&config, &address, &why), cases[i].err);
        assert_int_equal(why == NULL, cases[i].err == SH_OK);
        if (cases[i].err != SH_OK)
            continue;
        assert_string_equal(address.path ? address.path : address.host, cases[i].where);
        assert_int_equal(address.port, cases[i].port);
        assert_int_equal(address.database, cases[i].database);
        assert_string_equal(address.user ? address.user : "",
                            cases[i].user ? cases[i].user : "");
        assert_string_equal(address.password ? address.password : "",
                            cases[i].password ? cases[i].password : "");
        redis_address_free(&address);
    }
}

static void a_url_with_tls_stops_the_start(void **state)
{
    struct fixture *f = *state;

    f->config.url = "rediss://localhost";
    assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_INVALID);
}

/* At whatever point of the connect: by name, by socket, with and without a server. */
static void close_is_possible_at_any_time(void **state)
{
    static const char *const urls[] = {"", "redis://localhost:1",
                                       "redis://no.such.host.invalid"};
    struct fixture *f = *state;

    for (int turns = 0; turns < 24; turns++) {
        const char *url = urls[turns % 3];
        f->config.url = *url ? url : getenv("TEST_REDIS_URL");
        assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_OK);
        for (int i = 0; i < turns / 3; i++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        sh_redis_close(&f->redis);
        uv_run(&f->loop, UV_RUN_DEFAULT);
    }
}

/* The kernel accepts for it, but nobody reads. */
static void a_server_that_says_nothing_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char url[128];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int first;
    int second = -1;

    (void)snprintf(to.sun_path, sizeof(to.sun_path), "/tmp/cairn-mute.%d", getpid());
    (void)snprintf(url, sizeof(url), "unix://%s", to.sun_path);
    assert_int_equal(bind(fd, (void *)&to, sizeof(to)), 0);
    assert_int_equal(listen(fd, 4), 0);
    f->config.url = url;
    f->config.timeout_ms = 50;
    assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_OK);
    first = accept(fd, NULL, NULL);
    while (fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && (second = accept(fd, NULL, NULL)) < 0)
        uv_run(&f->loop, UV_RUN_ONCE); /* it comes again */
    assert_false(sh_redis_connected(f->redis));
    assert_int_equal(close(first) + close(second) + close(fd) + unlink(to.sun_path), 0);
}

static void allocations_may_fail(void **state)
{
    struct fixture *f = *state;
    enum sh_err err = SH_NOMEM;
    struct outcome o = {0};
    const struct sh_bytes word = sh_bytes_of("PING");

    for (int failures = 0; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_redis_create(&f->loop, &f->config, NULL, &f->redis);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(servers_pump(&f->loop, is_connected, f));
    err = SH_NOMEM;
    for (int failures = 0; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = sh_redis_command(f->redis, 1, &word, on_done, &o);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    o.wanted = 1;
    await(f, &o);
    for (int failures = 0; failures < 8; failures++) { /* while connecting */
        sh_redis_close(&f->redis);
        sh_mem_fail_after(-1);
        assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &f->redis), SH_OK);
        sh_mem_fail_after(failures);
        for (int n = 0; n < 10; n++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        sh_mem_fail_after(-1);
        assert_true(servers_pump(&f->loop, is_connected, f));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(answers_come_in_order),
        CASE(any_bytes_pass_through),
        CASE(is_refused_while_not_connected),
        CASE(what_waits_is_bounded),
        CASE(a_late_answer_costs_the_connection),
        CASE(a_lost_connection_is_made_anew),
        CASE(close_cancels),
        CASE(a_caller_may_close_the_client),
        CASE(a_caller_may_close_it_when_the_connection_breaks),
        CASE(health_follows_the_server),
        CASE(names_passwords_and_databases_work),
        CASE(close_is_possible_at_any_time),
        CASE(a_server_that_says_nothing_is_given_up),
        CASE(allocations_may_fail),
        CASE(a_url_with_tls_stops_the_start),
        cmocka_unit_test(urls_are_read),
    };

    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
