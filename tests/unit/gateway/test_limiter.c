/* Limits over several gateways and one real Redis: exact totals, all or nothing, Redis
 * away and back. The gateways have nothing in common but Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "services/gateway/limits/limiter.h"
#include "services/gateway/limits/script.h"
#include "shared/clock.h"
#include "shared/metrics.h"
#include "tests/support/servers.h"

enum { GATEWAYS = 2, ASKS = 64 };
#define DAY (86400 * UINT64_C(1000000))

struct gateway {
    struct limiter_shared shared;
    struct sh_redis *redis;
    struct limiter *limiter;
};

struct fixture {
    uv_loop_t loop;
    struct sh_redis_config config;
    struct gateway gateways[GATEWAYS];
    redisContext *other;
    char key[64];
};

/* One question of the test, repeated by on_answer. */
struct question {
    struct limiter_ask ask;
    struct fixture *f;
    struct gateway *gateway;
    bool done;
    bool again; /* ask until refused */
    int *admitted;
    int *open; /* questions that have not been refused */
};

/* --- set-up ----------------------------------------------------------------------- */

static bool is_connected(void *arg)
{
    struct fixture *f = arg;
    for (size_t i = 0; i < GATEWAYS; i++)
        if (!sh_redis_connected(f->gateways[i].redis))
            return false;
    return true;
}

static bool is_lost(void *arg)
{
    struct fixture *f = arg;
    for (size_t i = 0; i < GATEWAYS; i++)
        if (sh_redis_connected(f->gateways[i].redis))
            return false;
    return true;
}

static void command(struct fixture *f, const char *text)
{
    redisReply *reply = redisCommand(f->other, text);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

static void open_gateway(struct fixture *f, struct gateway *gateway, size_t number)
{
    atomic_init(&gateway->shared.gateways_seen, 1);
    (void)snprintf(gateway->shared.instance, sizeof gateway->shared.instance, "gw-%zu",
                   number);
    assert_int_equal(ledger_create(4096, &gateway->shared.ledger), SH_OK);
    assert_int_equal(sh_redis_create(&f->loop, &f->config, NULL, &gateway->redis), SH_OK);
    assert_int_equal(limiter_create(&f->loop, gateway->redis, &gateway->shared, true,
                                    &gateway->limiter),
                     SH_OK);
}

static int set_up(void **state)
{
    static struct fixture f;
    const char *url = getenv("TEST_REDIS_URL");

    f = (struct fixture){0};
    *state = &f;
    assert_int_equal(script_start(), SH_OK);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    f.config = (struct sh_redis_config){.url = url, .host = "", .timeout_ms = 60000};
    f.other = redisConnectUnix(url + strlen("unix://"));
    assert_non_null(f.other);
    assert_int_equal(f.other->err, 0);
    command(&f, "FLUSHALL");
    command(&f, "SCRIPT FLUSH");
    for (size_t i = 0; i < GATEWAYS; i++)
        open_gateway(&f, &f.gateways[i], i);
    assert_true(servers_pump(&f.loop, is_connected, &f));
    return 0;
}

static void close_gateway(struct gateway *gateway)
{
    sh_redis_close(&gateway->redis);
    limiter_close(&gateway->limiter);
    ledger_free(&gateway->shared.ledger);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < GATEWAYS; i++)
        close_gateway(&f->gateways[i]);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    redisFree(f->other);
    return 0;
}

/* Redis cannot be reached under its name, and nobody is connected. */
static void hide_redis(struct fixture *f)
{
    const char *path = f->config.url + strlen("unix://");
    char hidden[256];

    (void)snprintf(hidden, sizeof hidden, "%s.hidden", path);
    assert_int_equal(rename(path, hidden), 0);
    command(f, "CLIENT KILL TYPE normal SKIPME yes");
    assert_true(servers_pump(&f->loop, is_lost, f));
}

static void show_redis(struct fixture *f)
{
    const char *path = f->config.url + strlen("unix://");
    char hidden[256];

    (void)snprintf(hidden, sizeof hidden, "%s.hidden", path);
    assert_int_equal(rename(hidden, path), 0);
    assert_true(servers_pump(&f->loop, is_connected, f));
}

/* --- asking ----------------------------------------------------------------------- */

/* A limit that refills nothing while a test runs. */
static struct ledger_bucket bucket(const char *key, uint32_t count)
{
    return (struct ledger_bucket){sh_bytes_of(key),
                                  bucket_rule(key, count, DAY * 365 * count, count)};
}

static void ask(struct question *q);

static void answered(struct question *q)
{
    if (q->ask.admitted && q->admitted)
        (*q->admitted)++;
    if (q->ask.admitted && q->again)
        return;
    q->done = true;
    if (q->open)
        (*q->open)--;
}

static void on_answer(struct limiter_ask *a)
{
    struct question *q = SH_CONTAINER_OF(a, struct question, ask);
    answered(q);
    if (!q->done)
        ask(q);
}

static void ask(struct question *q)
{
    q->ask.done = on_answer;
    while (!q->done && limiter_take(q->gateway->limiter, &q->ask))
        answered(q);
}

static bool is_done(void *arg)
{
    return ((struct question *)arg)->done;
}

/* One request to one gateway. */
static struct question ask_once(struct fixture *f, size_t gateway, size_t count,
                                const struct ledger_bucket *buckets)
{
    struct question q = {.f = f, .gateway = &f->gateways[gateway]};

    q.ask.count = count;
    memcpy(q.ask.buckets, buckets, count * sizeof *buckets);
    ask(&q);
    assert_true(servers_pump(&f->loop, is_done, &q));
    return q;
}

static bool admits(struct fixture *f, size_t gateway, struct ledger_bucket one)
{
    return ask_once(f, gateway, 1, &one).ask.admitted;
}

static bool none_open(void *arg)
{
    return *(int *)arg == 0;
}

/* Many clients of both gateways at the same time, each until it is refused. */
static int storm(struct fixture *f, struct ledger_bucket one)
{
    static struct question questions[ASKS];
    int admitted = 0, open = ASKS;

    for (size_t i = 0; i < ASKS; i++) {
        questions[i] = (struct question){.f = f,
                                         .gateway = &f->gateways[i % GATEWAYS],
                                         .again = true,
                                         .admitted = &admitted,
                                         .open = &open};
        questions[i].ask.count = 1;
        questions[i].ask.buckets[0] = one;
    }
    for (size_t i = 0; i < ASKS; i++)
        ask(&questions[i]);
    assert_true(servers_pump(&f->loop, none_open, &open));
    return admitted;
}

/* --- tests ------------------------------------------------------------------------ */

static void two_gateways_never_admit_more_than_the_limit(void **state)
{
    struct fixture *f = *state;
    static const uint32_t limits[] = {1, 2, 7, 30, 100, 1000, 5000};

    for (size_t i = 0; i < SH_COUNT(limits); i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "storm-%u", limits[i]);
        struct ledger_bucket one = bucket(key, limits[i]);
        int admitted = storm(f, one);
        assert_in_range(admitted, 1, limits[i]);
        /* what was refused while leases were out comes back: in the end all is spent */
        uint64_t deadline = sh_now_ms() + SERVERS_PUMP_MS;
        while (admitted < (int)limits[i]) {
            admitted += storm(f, one);
            uv_run(&f->loop, UV_RUN_NOWAIT);
            assert_true(sh_left_ms(deadline) > 0);
        }
        assert_int_equal(admitted, limits[i]);
        for (int n = 0; n < 3; n++)
            assert_int_equal(storm(f, one), 0);
    }
}

static void near_the_limit_tokens_are_given_out_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("near", 31);

    /* under 32 there are no leases: no gateway holds what the other one needs */
    assert_int_equal(storm(f, one), 31);
}

static void leases_spare_redis_most_of_the_questions(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("many", 100000);
    int admitted = 0;

    command(f, "CONFIG RESETSTAT");
    for (int i = 0; i < 10000; i++)
        admitted += admits(f, 0, one);
    assert_int_equal(admitted, 10000);
    redisReply *reply = redisCommand(f->other, "INFO commandstats");
    assert_non_null(reply);
    const char *at = strstr(reply->str, "cmdstat_evalsha:calls=");
    assert_non_null(at);
    assert_in_range(strtol(at + strlen("cmdstat_evalsha:calls="), NULL, 10), 1, 1000);
    freeReplyObject(reply);
}

static void unspent_tokens_are_handed_back(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("back", 1000);
    int admitted = 0;

    for (int i = 0; i < 100; i++) /* the first gateway leases, and stops asking */
        admitted += admits(f, 0, one);
    uint64_t deadline = sh_now_ms() + SERVERS_PUMP_MS;
    while (admitted < 1000) { /* the other one gets all the rest */
        admitted += admits(f, 1, one);
        uv_run(&f->loop, UV_RUN_NOWAIT);
        assert_true(sh_left_ms(deadline) > 0);
    }
    assert_int_equal(admitted, 1000);
    assert_false(admits(f, 1, one));
    assert_false(admits(f, 0, one));
}

static void all_buckets_give_or_none(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket two[] = {bucket("wide", 20), bucket("narrow", 3)};
    int admitted = 0;

    for (int i = 0; i < 10; i++)
        admitted += ask_once(f, (size_t)i % 2, 2, two).ask.admitted;
    assert_int_equal(admitted, 3);
    struct question q = ask_once(f, 0, 2, two);
    assert_false(q.ask.admitted);
    assert_true(q.ask.results[1].state.retry_us > 0);
    for (int i = 0; i < 17; i++) /* the refused ones took nothing from the wide one */
        assert_true(admits(f, 0, two[0]));
    assert_false(admits(f, 0, two[0]));
}

static void the_answer_says_what_is_left(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = {sh_bytes_of("left"),
                                bucket_rule("left", 10, 600 * UINT64_C(1000000), 10)};

    for (uint32_t i = 0; i < 10; i++) {
        struct question q = ask_once(f, i % 2, 1, &one);
        assert_true(q.ask.admitted);
        assert_int_equal(q.ask.results[0].state.remaining, 9 - i);
        assert_in_range(q.ask.results[0].state.reset_us, i * 60000000,
                        (i + 1) * 60000000);
    }
    struct question q = ask_once(f, 0, 1, &one);
    assert_false(q.ask.admitted);
    assert_in_range(q.ask.results[0].state.retry_us, 1, 60000000);
}

static void keys_expire_when_the_bucket_is_full(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = {sh_bytes_of("expires"),
                                bucket_rule("expires", 10, 600 * UINT64_C(1000000), 10)};

    assert_true(admits(f, 0, one));
    redisReply *reply = redisCommand(f->other, "PTTL expires");
    assert_non_null(reply);
    assert_in_range(reply->integer, 1, 62000);
    freeReplyObject(reply);
}

static void a_bucket_refills(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = {sh_bytes_of("fast"),
                                bucket_rule("fast", 100, 1000000, 2)};
    uint64_t deadline = sh_now_ms() + SERVERS_PUMP_MS;
    int admitted = 0;

    while (admitted < 10) {
        admitted += admits(f, 0, one);
        uv_run(&f->loop, UV_RUN_NOWAIT);
        assert_true(sh_left_ms(deadline) > 0);
    }
}

/* A limit that was lowered, or a clock that was set back, must not lock anybody out for
 * longer than a bucket takes to fill. */
static void a_key_from_the_far_future_does_no_harm(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = {sh_bytes_of("future"),
                                bucket_rule("future", 10, 600 * UINT64_C(1000000), 10)};

    command(f, "SET future 99999999999999999");
    struct question q = ask_once(f, 0, 1, &one);
    assert_false(q.ask.admitted);
    assert_in_range(q.ask.results[0].state.retry_us, 1, 60000000);
    one.key = sh_bytes_of("nonsense");
    command(f, "SET nonsense hello");
    assert_true(admits(f, 0, one));
}

static void a_forgotten_script_is_sent_again(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("script", 5);

    for (int i = 0; i < 5; i++) {
        assert_true(admits(f, 0, one));
        command(f, "SCRIPT FLUSH");
    }
    assert_false(admits(f, 1, one));
    assert_int_equal(f->gateways[0].shared.away, 0);
}

/* Started anew, and empty: nobody gets a second bucket. */
static void a_redis_that_lost_all_fills_no_bucket(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("lost", 30);
    uint64_t deadline = sh_now_ms() + SERVERS_PUMP_MS;
    long long known = 0;

    assert_int_equal(storm(f, one), 30);
    command(f, "FLUSHALL");
    command(f, "SCRIPT FLUSH");
    while (known == 0) { /* until it has been asked, and reminded */
        assert_int_equal(storm(f, one), 0);
        redisReply *reply = redisCommand(f->other, "EXISTS lost");
        assert_non_null(reply);
        known = reply->integer;
        freeReplyObject(reply);
        assert_true(sh_left_ms(deadline) > 0);
    }
    assert_int_equal(storm(f, one), 0);
}

static void a_redis_that_refuses_the_script_counts_as_away(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("wrong", 4);

    command(f, "LPUSH wrong x"); /* no string: the script fails */
    atomic_store(&f->gateways[0].shared.gateways_seen, 2);
    assert_true(admits(f, 0, one));
    assert_true(admits(f, 0, one));
    assert_false(admits(f, 0, one));
    assert_int_equal(f->gateways[0].shared.away, 1);
    command(f, "DEL wrong");
    uint64_t deadline = sh_now_ms() + SERVERS_PUMP_MS;
    while (f->gateways[0].shared.away > 0) {
        (void)admits(f, 0, bucket("other", 1000));
        assert_true(sh_left_ms(deadline) > 0);
    }
}

static bool know_each_other(void *arg)
{
    struct fixture *f = arg;
    return limiter_gateways(&f->gateways[0].shared) == 2 &&
           limiter_gateways(&f->gateways[1].shared) == 2;
}

/* The setting stands for what cannot be counted. */
static void gateways_count_each_other(void **state)
{
    struct fixture *f = *state;

    /* one of them counted before the other was there: it counts again in five seconds */
    assert_true(servers_pump(&f->loop, know_each_other, f));
    f->gateways[0].shared.gateways_set = 7;
    assert_int_equal(limiter_gateways(&f->gateways[0].shared), 7);
}

static void without_redis_the_shares_add_up(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("shares", 100);

    for (size_t i = 0; i < GATEWAYS; i++)
        f->gateways[i].shared.gateways_set = GATEWAYS;
    for (size_t i = 0; i < GATEWAYS; i++) /* both have met Redis */
        assert_true(admits(f, i, bucket("hello", 10)));
    hide_redis(f);
    assert_int_equal(storm(f, one), 100);
    assert_int_equal(f->gateways[0].shared.away, 1);
    show_redis(f);
    /* and Redis is told: nobody gets them twice */
    uint64_t deadline = sh_now_ms() + SERVERS_PUMP_MS;
    while (f->gateways[0].shared.away > 0 || f->gateways[1].shared.away > 0) {
        uv_run(&f->loop, UV_RUN_ONCE);
        assert_true(sh_left_ms(deadline) > 0);
    }
    /* (which may not have read it yet, what one of them says last) */
    assert_in_range(storm(f, one), 0, 50);
}

static void losing_redis_half_way_admits_no_more(void **state)
{
    struct fixture *f = *state;
    struct ledger_bucket one = bucket("half", 30);
    int admitted = 0;

    for (size_t i = 0; i < GATEWAYS; i++)
        f->gateways[i].shared.gateways_set = GATEWAYS;
    for (int i = 0; i < 20; i++)
        admitted += admits(f, (size_t)i % 2, one);
    hide_redis(f);
    admitted += storm(f, one);
    assert_in_range(admitted, 28, 30);
    show_redis(f);
}

/* What was asked of Redis when the connection broke is decided here. */
static void questions_under_way_survive_the_loss(void **state)
{
    struct fixture *f = *state;
    struct question q = {.f = f, .gateway = &f->gateways[0]};

    command(f, "CLIENT PAUSE 60000 WRITE"); /* scripts are; UNPAUSE must not be */
    q.ask.count = 1;
    q.ask.buckets[0] = bucket("paused", 5);
    ask(&q);
    assert_false(q.done);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    sh_redis_close(&f->gateways[0].redis);
    assert_true(q.done); /* by its share */
    assert_true(q.ask.admitted);
    command(f, "CLIENT UNPAUSE");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(two_gateways_never_admit_more_than_the_limit),
        TEST(near_the_limit_tokens_are_given_out_one_by_one),
        TEST(leases_spare_redis_most_of_the_questions),
        TEST(unspent_tokens_are_handed_back),
        TEST(all_buckets_give_or_none),
        TEST(the_answer_says_what_is_left),
        TEST(keys_expire_when_the_bucket_is_full),
        TEST(a_bucket_refills),
        TEST(a_key_from_the_far_future_does_no_harm),
        TEST(a_forgotten_script_is_sent_again),
        TEST(a_redis_that_lost_all_fills_no_bucket),
        TEST(a_redis_that_refuses_the_script_counts_as_away),
        TEST(gateways_count_each_other),
        TEST(without_redis_the_shares_add_up),
        TEST(losing_redis_half_way_admits_no_more),
        TEST(questions_under_way_survive_the_loss),
    };
    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
