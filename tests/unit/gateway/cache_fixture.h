/* cache_fixture: a gateway with a result cache, in memory and in a private Redis, and
 * that Redis as somebody else sees it. Header only. */
#ifndef TESTS_CACHE_FIXTURE_H
#define TESTS_CACHE_FIXTURE_H

#include "services/gateway/cache/flight.h"

static inline void add_cache(void *fixture);
#define BEFORE_EDGE(f) add_cache(f)
#include "gateway_fixture.h"

#include <hiredis/hiredis.h>

#include "tests/support/servers.h"

static struct cache_config settings = {.memory_mb = 8, .ttl_s = 900};
static bool with_redis = true;

static inline void use_redis(struct gateway *gateway)
{
    if (with_redis)
        gateway->redis_config.url = getenv("TEST_REDIS_URL");
    gateway->redis_config.timeout_ms = PATIENCE_MS;
}

static inline void add_cache(void *fixture)
{
    struct fixture *f = fixture;

    use_redis(&f->gateway);
    f->whole = true;
    f->generation = 1;
    sh_rpc_server_set_state(f->search, 1);
    assert_int_equal(cache_create(&settings, &f->gateway.answers), SH_OK);
    f->gateway.answers->redis_ms = PATIENCE_MS; /* however slow the machine */
}

/* --- Redis as somebody else sees it ----------------------------------------------- */

static inline redisContext *other(void)
{
    static redisContext *context;

    if (context == NULL)
        context = redisConnectUnix(getenv("TEST_REDIS_URL") + strlen("unix://"));
    assert_non_null(context);
    assert_int_equal(context->err, 0);
    return context;
}

static inline redisReply *redis(const char *command)
{
    redisReply *reply = redisCommand(other(), command);

    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    return reply;
}

static inline long long redis_number(const char *command)
{
    redisReply *reply = redis(command);
    long long number = reply->integer;

    freeReplyObject(reply);
    return number;
}

/* --- asking ----------------------------------------------------------------------- */

static const char walrus[] = "{\"query\":\"walrus\",\"user\":{\"user_id\":\"u1\","
                             "\"role\":\"staff\"}}";

static inline const char *search(struct fixture *f, const char *body)
{
    return post(f, "/api/search", "", body);
}

static inline double counted(const char *operation)
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

static inline void in_state(struct fixture *f, uint64_t state)
{
    f->generation = state;
    sh_rpc_server_set_state(f->search, state);
    pump_until(f, sh_rpc_client_state(f->edge.peers[PEER_SEARCH]) == state);
}

static inline int start(void **state)
{
    freeReplyObject(redis("FLUSHALL"));
    int failed = set_up(state);
    struct fixture *f = *state;

    if (with_redis)
        pump_until(f, atomic_load(&f->gateway.answers->epoch) != 0);
    pump_until(f, sh_rpc_client_state(f->edge.peers[PEER_SEARCH]) == 1);
    return failed;
}

#endif
