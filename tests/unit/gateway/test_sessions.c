/* Sessions in a real Redis: whose they are, when they end, what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "services/gateway/auth/csrf.h"
#include "services/gateway/auth/sessions.h"
#include "shared/clock.h"
#include "tests/support/servers.h"

struct fixture {
    uv_loop_t loop;
    struct gateway gateway;
    struct edge edge;
    redisContext *redis; /* for looking at what is there */
    struct session_call *call;
    bool done;
    enum sh_err err;
    char id[SESSION_ID + 1];
    char user[256]; /* of the session that was found */
    uint64_t ends_s;
};

static bool is_connected(void *arg)
{
    return sh_redis_connected(arg);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *url = getenv("TEST_REDIS_URL");

    assert_non_null(f);
    const char *path = url != NULL ? strstr(url, "://") : NULL;
    assert_non_null(path);
    *state = f;
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->gateway.redis_config = (struct sh_redis_config){.url = url, .timeout_ms = 60000};
    f->gateway.account_config = (struct account_config){.session_lifetime_s = 600,
                                                        .session_most_s = 6000,
                                                        .cookie_secure = "auto",
                                                        .cookie_same_site = "Lax"};
    f->edge = (struct edge){.gateway = &f->gateway, .loop = &f->loop};
    assert_int_equal(
        sh_redis_create(&f->loop, &f->gateway.redis_config, NULL, &f->edge.redis), SH_OK);
    assert_true(servers_pump(&f->loop, is_connected, f->edge.redis));
    f->redis = redisConnectUnix(path + 3);
    assert_non_null(f->redis);
    freeReplyObject(redisCommand(f->redis, "FLUSHALL"));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->edge.redis != NULL)
        sh_redis_close(&f->edge.redis);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    redisFree(f->redis);
    free(f);
    return 0;
}

static void await(struct fixture *f)
{
    assert_true(servers_pump(&f->loop, servers_is_set, &f->done));
}

static void on_made(void *arg, enum sh_err err, const char *id)
{
    struct fixture *f = arg;

    f->err = err;
    f->done = true;
    (void)snprintf(f->id, sizeof f->id, "%s", id != NULL ? id : "");
}

static void on_found(void *arg, enum sh_err err, const struct session *session)
{
    struct fixture *f = arg;

    f->err = err;
    f->done = true;
    f->user[0] = '\0';
    if (session == NULL)
        return;
    f->ends_s = session->ends_s;
    (void)snprintf(f->user, sizeof f->user, "%.*s %.*s %.*s %.*s %.*s %llu %d",
                   (int)session->user_id.len, (const char *)session->user_id.data,
                   (int)session->username.len, (const char *)session->username.data,
                   (int)session->role.len, (const char *)session->role.data,
                   (int)session->department.len, (const char *)session->department.data,
                   (int)session->campus.len, (const char *)session->campus.data,
                   (unsigned long long)session->epoch, session->local);
}

static void on_ended(void *arg, enum sh_err err)
{
    struct fixture *f = arg;

    f->err = err;
    f->done = true;
}

static const struct session ann = {.user_id = {"u-1", 3},
                                   .username = {"ann", 3},
                                   .role = {"staff", 5},
                                   .department = {"Chem\"", 5},
                                   .campus = {"West", 4},
                                   .epoch = 3,
                                   .local = true};

static enum sh_err make(struct fixture *f, const struct session *session,
                        const char *former)
{
    f->done = false;
    assert_int_equal(
        session_create(&f->edge, session, sh_bytes_of(former), on_made, f, &f->call),
        SH_OK);
    assert_non_null(f->call);
    await(f);
    return f->err;
}

static enum sh_err find(struct fixture *f, const char *id)
{
    f->done = false;
    enum sh_err err = session_find(&f->edge, sh_bytes_of(id), on_found, f, &f->call);
    if (err != SH_OK)
        return err;
    await(f);
    return f->err;
}

static void end_all(struct fixture *f, const char *user, uint64_t epoch)
{
    f->done = false;
    assert_int_equal(
        session_end_all(&f->edge, sh_bytes_of(user), epoch, on_ended, f, &f->call),
        SH_OK);
    await(f);
    assert_int_equal(f->err, SH_OK);
}

static void is_found_as_it_was_made(void **state)
{
    struct fixture *f = *state;
    uint64_t now = (uint64_t)sh_wall_time();

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    assert_int_equal(strlen(f->id), SESSION_ID);
    assert_int_equal(find(f, f->id), SH_OK);
    assert_string_equal(f->user, "u-1 ann staff Chem\" West 3 1");
    assert_true(f->ends_s >= now + 6000 && f->ends_s < now + 6000 + 3600);
}

static void no_two_have_the_same_id(void **state)
{
    struct fixture *f = *state;
    char former[SESSION_ID + 1];

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    memcpy(former, f->id, sizeof former);
    assert_int_equal(make(f, &ann, NULL), SH_OK);
    assert_string_not_equal(former, f->id);
    assert_int_equal(find(f, former), SH_OK); /* somebody's second browser */
}

/* Who reads Redis can log in as nobody. */
static void redis_does_not_know_the_cookie(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    redisReply *keys = redisCommand(f->redis, "KEYS *");
    assert_int_equal(keys->type, REDIS_REPLY_ARRAY);
    assert_int_equal(keys->elements, 2);
    for (size_t i = 0; i < keys->elements; i++) {
        const char *key = keys->element[i]->str;
        assert_null(strstr(key, f->id));
        if (strncmp(key, "cairn:session:", 14) != 0)
            continue;
        redisReply *all = redisCommand(f->redis, "HGETALL %s", key);
        for (size_t j = 0; j < all->elements; j++)
            assert_null(strstr(all->element[j]->str, f->id));
        freeReplyObject(all);
        assert_int_not_equal(find(f, key + 14), SH_OK); /* nor is the hash one */
    }
    freeReplyObject(keys);
}

static void a_login_ends_the_session_before_it(void **state)
{
    struct fixture *f = *state;
    char former[SESSION_ID + 1];

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    memcpy(former, f->id, sizeof former);
    assert_int_equal(make(f, &ann, former), SH_OK);
    assert_int_equal(find(f, former), SH_NOTFOUND);
    assert_int_equal(find(f, f->id), SH_OK);
}

/* An id that the client brings is never taken over. */
static void an_id_of_the_clients_own_is_no_session(void **state)
{
    static const char planted[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct fixture *f = *state;

    assert_int_equal(make(f, &ann, planted), SH_OK);
    assert_string_not_equal(f->id, planted);
    assert_int_equal(find(f, planted), SH_NOTFOUND);
}

static void an_ended_one_is_gone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    f->done = false;
    assert_int_equal(session_end(&f->edge, sh_bytes_of(f->id), on_ended, f, &f->call),
                     SH_OK);
    await(f);
    assert_int_equal(f->err, SH_OK);
    assert_int_equal(find(f, f->id), SH_NOTFOUND);
}

static void a_raised_epoch_ends_all_of_a_user(void **state)
{
    struct session newer = ann, other = ann;
    struct fixture *f = *state;
    char first[SESSION_ID + 1], second[SESSION_ID + 1], others[SESSION_ID + 1];

    other.user_id = sh_bytes_of("u-2");
    newer.epoch = 4;
    assert_int_equal(make(f, &ann, NULL), SH_OK);
    memcpy(first, f->id, sizeof first);
    assert_int_equal(make(f, &ann, NULL), SH_OK);
    memcpy(second, f->id, sizeof second);
    assert_int_equal(make(f, &other, NULL), SH_OK);
    memcpy(others, f->id, sizeof others);
    end_all(f, "u-1", 4);
    end_all(f, "u-1", 2); /* a late one lowers nothing */
    assert_int_equal(find(f, first), SH_NOTFOUND);
    assert_int_equal(find(f, second), SH_NOTFOUND);
    assert_int_equal(find(f, others), SH_OK);
    /* A login that began before with the old password is too late; a new one is not. */
    assert_int_equal(make(f, &ann, NULL), SH_CONFLICT);
    assert_int_equal(make(f, &newer, NULL), SH_OK);
    assert_int_equal(find(f, f->id), SH_OK);
}

/* The epoch was raised while Redis could not be told. */
static void the_next_login_ends_those_of_an_older_epoch(void **state)
{
    struct session newer = ann;
    struct fixture *f = *state;
    char former[SESSION_ID + 1];

    newer.epoch = 4;
    assert_int_equal(make(f, &ann, NULL), SH_OK);
    memcpy(former, f->id, sizeof former);
    assert_int_equal(make(f, &newer, NULL), SH_OK);
    assert_int_equal(find(f, former), SH_NOTFOUND);
}

static long long ttl(struct fixture *f)
{
    redisReply *keys = redisCommand(f->redis, "KEYS cairn:session:*");
    assert_int_equal(keys->elements, 1);
    redisReply *left = redisCommand(f->redis, "TTL %s", keys->element[0]->str);
    long long seconds = left->integer;
    freeReplyObject(left);
    freeReplyObject(keys);
    return seconds;
}

static void set_ttl(struct fixture *f, long long seconds)
{
    redisReply *keys = redisCommand(f->redis, "KEYS cairn:session:*");
    freeReplyObject(
        redisCommand(f->redis, "EXPIRE %s %lld", keys->element[0]->str, seconds));
    freeReplyObject(keys);
}

static void set_end(struct fixture *f, long long time)
{
    redisReply *keys = redisCommand(f->redis, "KEYS cairn:session:*");
    freeReplyObject(
        redisCommand(f->redis, "HSET %s ends %lld", keys->element[0]->str, time));
    freeReplyObject(keys);
}

static void use_makes_it_last_but_not_for_ever(void **state)
{
    struct fixture *f = *state;
    long long now = (long long)sh_wall_time();

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    assert_in_range(ttl(f), 1, 600);
    set_ttl(f, 300);
    assert_int_equal(find(f, f->id), SH_OK);
    assert_in_range(ttl(f), 301, 600); /* a full life again */
    set_end(f, now + 200);
    assert_int_equal(find(f, f->id), SH_OK);
    assert_in_range(ttl(f), 1, 200); /* but not beyond its end */
    set_end(f, now - 1);
    assert_int_equal(find(f, f->id), SH_NOTFOUND);
}

static void what_cannot_be_a_cookie_asks_nobody(void **state)
{
    struct fixture *f = *state;
    char *huge = calloc(1, 100001);

    assert_non_null(huge);
    memset(huge, 'a', 100000);
    assert_int_equal(find(f, ""), SH_NOTFOUND);
    assert_int_equal(find(f, "short"), SH_NOTFOUND);
    assert_int_equal(find(f, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*"), SH_NOTFOUND);
    assert_int_equal(find(f, huge), SH_NOTFOUND);
    free(huge);
}

static void a_strange_value_is_no_session(void **state)
{
    static const char *const values[] = {"", "no json", "[]", "{\"user_id\":7}",
                                         "{\"user_id\":\"u-1\"}"};
    struct fixture *f = *state;

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    for (size_t i = 0; i < SH_COUNT(values); i++) {
        redisReply *keys = redisCommand(f->redis, "KEYS cairn:session:*");
        freeReplyObject(
            redisCommand(f->redis, "HSET %s data %s", keys->element[0]->str, values[i]));
        freeReplyObject(keys);
        assert_int_equal(find(f, f->id), SH_NOTFOUND);
    }
}

static void without_redis_nobody_knows(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    f->done = false;
    assert_int_equal(session_find(&f->edge, sh_bytes_of(f->id), on_found, f, &f->call),
                     SH_OK);
    sh_redis_close(&f->edge.redis);
    assert_true(f->done);
    assert_int_equal(f->err, SH_CANCELED);
    assert_string_equal(f->user, "");
}

static void a_cancelled_call_tells_nobody(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(make(f, &ann, NULL), SH_OK);
    f->done = false;
    assert_int_equal(session_find(&f->edge, sh_bytes_of(f->id), on_found, f, &f->call),
                     SH_OK);
    session_cancel(&f->call);
    assert_null(f->call);
    session_cancel(&f->call);
    sh_redis_close(&f->edge.redis);
    assert_false(f->done);
}

static void a_token_belongs_to_its_session(void **state)
{
    char one[CSRF_TOKEN + 1], same[CSRF_TOKEN + 1], other[CSRF_TOKEN + 1];
    (void)state;
    csrf_token(sh_bytes_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), one);
    csrf_token(sh_bytes_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), same);
    csrf_token(sh_bytes_of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"), other);
    assert_int_equal(strlen(one), CSRF_TOKEN);
    assert_string_equal(one, same);
    assert_string_not_equal(one, other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(is_found_as_it_was_made),
        CASE(no_two_have_the_same_id),
        CASE(redis_does_not_know_the_cookie),
        CASE(a_login_ends_the_session_before_it),
        CASE(an_id_of_the_clients_own_is_no_session),
        CASE(an_ended_one_is_gone),
        CASE(a_raised_epoch_ends_all_of_a_user),
        CASE(the_next_login_ends_those_of_an_older_epoch),
        CASE(use_makes_it_last_but_not_for_ever),
        CASE(what_cannot_be_a_cookie_asks_nobody),
        CASE(a_strange_value_is_no_session),
        CASE(without_redis_nobody_knows),
        CASE(a_cancelled_call_tells_nobody),
        cmocka_unit_test(a_token_belongs_to_its_session),
    };
    (void)argc;
    servers_ensure(argv);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
