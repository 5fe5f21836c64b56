#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <math.h>

#include "services/embedder/embedder.h"
#include "services/embedder/model/hashing.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/rpc_client.h"
#include "shared/rpc_server.h"
#include "tests/support/servers.h"

/* The methods over the bus, with the hashing model and a real Redis. */

enum { TEXTS_MAX = 8 };

static struct fixture {
    uv_loop_t loop;
    struct sh_zmq_loop *zmq;
    struct sh_rpc_server *server;
    struct sh_rpc_client *client;
    struct embedder embedder;
    redisContext *redis;
} fx;

/* What a call came to, copied. */
static struct outcome {
    bool done;
    const struct msg_desc *desc; /* of the answer that is wanted */
    enum sh_err err;
    char code[64];
    char field[64];
    struct sh_arena arena;
    struct embed_reply reply;
    struct models_reply models;
    char *meta;
    float *vectors;
    size_t floats;
} got;

static bool is_ready(void *arg)
{
    (void)arg;
    return sh_rpc_client_ready(fx.client) > 0 && sh_redis_connected(fx.embedder.redis);
}

static void open_embedder(void)
{
    struct embedder *e = &fx.embedder;
    e->redis_config = (struct sh_redis_config){.url = getenv("TEST_REDIS_URL"),
                                               .host = "localhost",
                                               .port = 6379,
                                               .password = "",
                                               .timeout_ms = 5000};
    assert_int_equal(sh_redis_create(&fx.loop, &e->redis_config, NULL, &e->redis), SH_OK);
    assert_int_equal(remote_create(e->redis, 60, &e->remote), SH_OK);
    e->config = (struct embedder_config){.provider = "builtin",
                                         .model = "hashing",
                                         .model_dir = "/nowhere",
                                         .kernel = "auto",
                                         .threads = 2,
                                         .query_prefix = "auto",
                                         .document_prefix = "auto",
                                         .url = "http://127.0.0.1:9/api/embed",
                                         .timeout_s = 1,
                                         .batch_size = 10,
                                         .batch_chars = 100000,
                                         .concurrency = 1,
                                         .breaker_failures = 5,
                                         .cache_redis = "auto",
                                         .queue_max = 1000};
    assert_int_equal(lru_create(1 << 20, &e->lru), SH_OK);
    e->shelf = (struct shelf){
        .config = &e->config, .loop = &fx.loop, .lru = e->lru, .remote = e->remote};
    assert_int_equal(shelf_open(&e->shelf), SH_OK);
}

static const struct card *default_card(void)
{
    return &fx.embedder.shelf.models[0]->provider->card;
}

static int set_up(void **state)
{
    (void)state;
    memset(&fx, 0, sizeof(fx));
    assert_int_equal(uv_loop_init(&fx.loop), 0);
    assert_int_equal(sh_zmq_loop_create(&fx.loop, &fx.zmq), SH_OK);
    fx.redis = redisConnectUnix(getenv("TEST_REDIS_URL") + strlen("unix://"));
    assert_non_null(fx.redis);
    freeReplyObject(redisCommand(fx.redis, "FLUSHALL"));
    open_embedder();
    struct sh_rpc_server_options server = {.service = "embedder",
                                           .bind = "tcp://127.0.0.1:0",
                                           .instance = "x",
                                           .started = 1};
    assert_int_equal(sh_rpc_server_create(fx.zmq, &server, &fx.server), SH_OK);
    assert_int_equal(methods_add(&fx.embedder, fx.server), SH_OK);
    struct sh_rpc_client_options client = {
        .service = "embedder", .endpoints = sh_rpc_server_endpoint(fx.server)};
    assert_int_equal(sh_rpc_client_create(fx.zmq, &client, &fx.client), SH_OK);
    assert_true(servers_pump(&fx.loop, is_ready, NULL));
    return 0;
}

static void forget(void)
{
    sh_free(got.meta);
    sh_free(got.vectors);
    sh_arena_free(&got.arena);
    memset(&got, 0, sizeof(got));
}

static int tear_down(void **state)
{
    (void)state;
    struct embedder *e = &fx.embedder;
    forget();
    shelf_close(&e->shelf);
    lru_free(&e->lru);
    sh_redis_close(&e->redis);
    remote_free(&e->remote);
    sh_rpc_client_close(&fx.client);
    sh_rpc_server_close(&fx.server);
    sh_zmq_loop_close(&fx.zmq);
    redisFree(fx.redis);
    uv_run(&fx.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&fx.loop);
}

static void on_response(void *arg, const struct sh_rpc_response *response)
{
    const struct msg_desc *desc = got.desc;
    (void)arg;
    got.done = true;
    got.err = response->err;
    (void)snprintf(got.code, sizeof(got.code), "%s", response->code);
    (void)snprintf(got.field, sizeof(got.field), "%s", response->field);
    if (response->err != SH_OK)
        return;
    bool raw = desc == embed_reply_desc();
    struct sh_bytes message = raw ? response->meta : response->payload;
    got.meta = sh_strndup(message.data, message.len);
    assert_int_equal(msg_decode(desc, (struct sh_bytes){got.meta, message.len},
                                &got.arena,
                                raw ? (void *)&got.reply : (void *)&got.models),
                     SH_OK);
    if (!raw)
        return;
    got.floats = response->payload.len / sizeof(float);
    got.vectors = sh_alloc(response->payload.len + 1);
    if (response->payload.len > 0)
        memcpy(got.vectors, response->payload.data, response->payload.len);
}

static void call(uint32_t method, const struct msg_desc *request, const void *message,
                 const struct msg_desc *reply)
{
    struct sh_buffer payload = {0};
    forget();
    assert_int_equal(msg_encode(request, message, &payload), SH_OK);
    struct sh_rpc_request ask = {
        .method = method,
        .kind = SH_RPC_READ,
        .payload = sh_buffer_bytes(&payload),
        .deadline_ms = sh_now_ms() + 60000,
    };
    got.desc = reply;
    assert_int_equal(sh_rpc_send(fx.client, &ask, on_response, NULL, NULL), SH_OK);
    sh_buffer_free(&payload);
    assert_true(servers_pump(&fx.loop, servers_is_set, &got.done));
}

static void embed(struct embed_request request, const char *const *texts, size_t count)
{
    struct sh_bytes list[TEXTS_MAX];
    for (size_t i = 0; i < count; i++)
        list[i] = sh_bytes_of(texts[i]);
    request.texts = list;
    request.texts_count = count;
    call(METHOD_EMBEDDER_EMBED, embed_request_desc(), &request, embed_reply_desc());
}

static double dot(const float *a, const float *b, size_t dimension)
{
    double sum = 0;
    for (size_t i = 0; i < dimension; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void texts_become_unit_vectors(void **state)
{
    (void)state;
    const char *texts[] = {"garden roses", "a rose garden", "database"};
    embed((struct embed_request){0}, texts, 3);
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(got.reply.count, 3);
    assert_int_equal(got.reply.dimension, HASHING_DIMENSION);
    assert_int_equal(got.floats, (size_t)3 * HASHING_DIMENSION);
    assert_int_equal(got.reply.failures_count, 0);
    assert_int_equal(got.reply.tokens, 6);
    assert_true(got.reply.duration_us > 0);
    assert_true(fabs(got.reply.alpha - 0.1) < 1e-9);
    assert_true(sh_bytes_is(got.reply.model, "hashing"));
    assert_true(sh_bytes_is(got.reply.fingerprint, default_card()->fingerprint));
    const float *v = got.vectors;
    assert_true(fabs(dot(v, v, HASHING_DIMENSION) - 1) < 1e-5);
    assert_true(dot(v, v + HASHING_DIMENSION, HASHING_DIMENSION) > 0.5);
    assert_true(dot(v, v + (size_t)2 * HASHING_DIMENSION, HASHING_DIMENSION) < 0.3);
}

static void bad_texts_are_listed(void **state)
{
    (void)state;
    const char *texts[] = {"good", "", "!!!"};
    embed((struct embed_request){0}, texts, 3);
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(got.reply.failures_count, 2);
    assert_int_equal(got.reply.failures[0].index, 1);
    assert_true(sh_bytes_is(got.reply.failures[0].code, "empty_text"));
    assert_int_equal(got.reply.failures[1].index, 2);
    for (size_t i = 0; i < HASHING_DIMENSION; i++)
        assert_true(got.vectors[HASHING_DIMENSION + i] == 0);
    embed((struct embed_request){0}, texts + 1, 2); /* all of them: still an answer */
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(got.reply.failures_count, 2);
    embed((struct embed_request){0}, texts, 0);
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(got.reply.count, 0);
}

static void fewer_dimensions_are_unit_vectors_too(void **state)
{
    (void)state;
    const char *texts[] = {"fewer dimensions will do"};
    embed((struct embed_request){.dimensions = 64}, texts, 1);
    assert_int_equal(got.reply.dimension, 64);
    assert_int_equal(got.floats, 64);
    assert_true(fabs(dot(got.vectors, got.vectors, 64) - 1) < 1e-5);
    embed((struct embed_request){.dimensions = HASHING_DIMENSION + 1}, texts, 1);
    assert_int_equal(got.err, SH_INVALID);
    assert_string_equal(got.field, "dimensions");
}

static void a_model_is_known_by_its_name(void **state)
{
    (void)state;
    const char *texts[] = {"text"};
    embed((struct embed_request){.model = sh_bytes_of("hashing:latest")}, texts, 1);
    assert_int_equal(got.err, SH_OK);
    embed((struct embed_request){.model = sh_bytes_of("gpt-9")}, texts, 1);
    assert_int_equal(got.err, SH_NOTFOUND);
    assert_string_equal(got.code, "model_not_found");
    struct empty none = {0};
    call(METHOD_EMBEDDER_MODELS, empty_desc(), &none, models_reply_desc());
    assert_int_equal(got.err, SH_OK);
    assert_int_equal(got.models.models_count, 1);
    assert_true(sh_bytes_is(got.models.models[0].name, "hashing"));
    assert_true(
        sh_bytes_is(got.models.models[0].fingerprint, default_card()->fingerprint));
    assert_true(sh_bytes_is(got.models.models[0].family, "hashing"));
    assert_true(got.models.models[0].modified_at > 0);
}

static void ask_model(const char *name, const char *fingerprint)
{
    struct model_request request = {.model = sh_bytes_of(name),
                                    .fingerprint = sh_bytes_of(fingerprint)};
    call(METHOD_EMBEDDER_MODEL, model_request_desc(), &request, models_reply_desc());
}

/* Whoever has vectors of a model says which fingerprint they bear. */
static void a_model_is_known_by_its_fingerprint(void **state)
{
    (void)state;
    const char *texts[] = {"text"};
    struct sh_bytes own = sh_bytes_of(default_card()->fingerprint);
    embed((struct embed_request){.fingerprint = own}, texts, 1);
    assert_int_equal(got.err, SH_OK);
    /* the name is not looked at then */
    embed((struct embed_request){.model = sh_bytes_of("renamed"), .fingerprint = own},
          texts, 1);
    assert_int_equal(got.err, SH_OK);
    embed((struct embed_request){.model = sh_bytes_of("builtin:hashing"),
                                 .fingerprint = sh_bytes_of("of its last version")},
          texts, 1);
    assert_int_equal(got.err, SH_CONFLICT);
    assert_string_equal(got.code, "model_changed");
    embed((struct embed_request){.model = sh_bytes_of("builtin:gpt-9"),
                                 .fingerprint = sh_bytes_of("whatever")},
          texts, 1);
    assert_int_equal(got.err, SH_NOTFOUND);
    ask_model("hashing", "");
    assert_int_equal(got.err, SH_OK);
    assert_true(sh_bytes_equal(got.models.models[0].fingerprint, own));
    ask_model("hashing", "of its last version");
    assert_int_equal(got.err, SH_CONFLICT);
    ask_model("builtin:gpt-9", "");
    assert_int_equal(got.err, SH_NOTFOUND);
}

/* An endpoint's model beside the built-in one: opened when it is asked for, told when it
 * is known; the default stays the first. */
static void another_model_is_opened_beside_the_default(void **state)
{
    (void)state;
    struct empty none = {0};
    const char *texts[] = {"text"};
    embed((struct embed_request){.model = sh_bytes_of("ollama:nomic")}, texts, 1);
    assert_int_equal(got.err, SH_NOTFOUND); /* not for anybody's asking */
    ask_model("ollama:nomic", "");
    assert_int_equal(got.err, SH_UNAVAILABLE); /* nobody listens there */
    assert_int_equal(fx.embedder.shelf.count, 2);
    ask_model("ollama:nomic", "");
    assert_int_equal(fx.embedder.shelf.count, 2);
    call(METHOD_EMBEDDER_MODELS, empty_desc(), &none, models_reply_desc());
    assert_int_equal(got.models.models_count, 1);
    embed((struct embed_request){0}, texts, 1);
    assert_true(sh_bytes_is(got.reply.model, "hashing"));
    for (int i = 0; i < SHELF_MAX; i++) { /* those just asked for do not make room */
        char name[32];
        (void)snprintf(name, sizeof(name), "ollama:model-%d", i);
        ask_model(name, "");
    }
    assert_int_equal(got.err, SH_BUSY);
    assert_int_equal(fx.embedder.shelf.count, SHELF_MAX);
}

/* How many vectors Redis holds. */
static long long stored(void)
{
    redisReply *reply = redisCommand(fx.redis, "DBSIZE");
    assert_non_null(reply);
    long long count = reply->integer;
    freeReplyObject(reply);
    return count;
}

static void queries_are_found_in_redis(void **state)
{
    (void)state;
    const char *texts[] = {"where are the roses"};
    float before[HASHING_DIMENSION];
    embed((struct embed_request){.purpose = 1}, texts, 1);
    memcpy(before, got.vectors, sizeof(before));
    for (uint64_t end = sh_now_ms() + 10000; stored() < 1;
         uv_run(&fx.loop, UV_RUN_NOWAIT))
        assert_true(sh_now_ms() < end);
    /* a document is computed again rather than asked for */
    embed((struct embed_request){.purpose = 2}, (const char *[]){"a document"}, 1);
    /* mark what Redis holds, so that it can be told from what is computed */
    redisReply *keys = redisCommand(fx.redis, "KEYS cairn:embed:*");
    assert_int_equal(keys->elements, 1);
    uint8_t value[4 + sizeof(before)] = {77};
    before[0] = -before[0];
    before[1] = -before[1];
    before[2] = -before[2];
    memcpy(value + 4, before, sizeof(before));
    const char *key = keys->element[0]->str;
    freeReplyObject(redisCommand(fx.redis, "SET %s %b", key, value, sizeof(value)));
    lru_clear(fx.embedder.lru);
    embed((struct embed_request){.purpose = 1}, texts, 1);
    assert_memory_equal(got.vectors, before, sizeof(before));
    assert_int_equal(got.reply.tokens, 77);
    /* what is no unit vector of this length is not believed */
    freeReplyObject(redisCommand(fx.redis, "SET %s %b", key, value, sizeof(value) - 4));
    lru_clear(fx.embedder.lru);
    embed((struct embed_request){.purpose = 1}, texts, 1);
    assert_int_equal(got.reply.tokens, 4);
    freeReplyObject(keys);
}

static void a_cancelled_call_leaves_nothing(void **state)
{
    (void)state;
    struct sh_buffer payload = {0};
    struct sh_bytes text = sh_bytes_of("never mind");
    struct embed_request request = {.texts = &text, .texts_count = 1, .purpose = 1};
    assert_int_equal(msg_encode(embed_request_desc(), &request, &payload), SH_OK);
    for (int turns = 0; turns < 12; turns++) { /* wherever it has got to */
        uint64_t id = 0;
        struct sh_rpc_request ask = {
            .method = METHOD_EMBEDDER_EMBED,
            .kind = SH_RPC_READ,
            .payload = sh_buffer_bytes(&payload),
            .deadline_ms = sh_now_ms() + 60000,
        };
        forget();
        lru_clear(fx.embedder.lru);
        got.desc = embed_reply_desc();
        assert_int_equal(sh_rpc_send(fx.client, &ask, on_response, NULL, &id), SH_OK);
        for (int i = 0; i < turns && !got.done; i++)
            uv_run(&fx.loop, UV_RUN_NOWAIT);
        if (!got.done)
            sh_rpc_cancel(fx.client, id);
        embed((struct embed_request){0}, (const char *[]){"goes on"}, 1);
        assert_int_equal(got.err, SH_OK);
    }
    sh_buffer_free(&payload);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(texts_become_unit_vectors),
        T(bad_texts_are_listed),
        T(fewer_dimensions_are_unit_vectors_too),
        T(a_model_is_known_by_its_name),
        T(a_model_is_known_by_its_fingerprint),
        T(another_model_is_opened_beside_the_default),
        T(queries_are_found_in_redis),
        T(a_cancelled_call_leaves_nothing),
    };
    (void)argc;
    servers_ensure(argv);
    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
