/* gateway_fixture: one edge with the real table of routes, and services of the test's own
 * behind it, all on one loop. Clients are plain sockets. */
#ifndef TESTS_GATEWAY_FIXTURE_H
#define TESTS_GATEWAY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/gateway/auth/auth.h"
#include "services/gateway/edge.h"
#include "services/gateway/routes/routes.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/rpc_server.h"

#ifndef SEARCH_REPLICAS
#define SEARCH_REPLICAS                                                                  \
    1 /* that the gateway knows of; the test serves those after one                      \
       */
#endif

enum { PATIENCE_MS = 60000, HELD_MAX = 64, HEARD_MAX = 1 << 20, WINDOW = 4 };

struct fixture {
    uv_loop_t loop;
    struct sh_zmq_loop *zmq;
    struct gateway gateway;
    struct edge edge;
    struct sh_rpc_server *search;
    struct sh_rpc_server *embedder;
    char folder[64];
    /* what the services saw and do */
    struct sh_rpc_call *held[HELD_MAX]; /* puts that wait for the test */
    size_t held_count;
    bool hold;
    int refusals; /* puts to refuse before one is taken */
    int puts, canceled;
    bool no_wait;    /* of the last put or deletion */
    char seen[1024]; /* the last call, in words */
    uint8_t key[16];
    bool keyed;
    char flags[128];       /* of the same query */
    enum sh_err fail_with; /* of search.query */
    int queries;
    bool whole;     /* nothing in them is degraded */
    bool tell_role; /* as the text of the passage */
    uint64_t generation;
    /* what the client heard */
    char *heard;
    size_t heard_len;
    bool heard_end;
};

static inline void turn(struct fixture *f, uint64_t deadline_ms)
{
    uv_run(&f->loop, UV_RUN_NOWAIT);
    if (sh_left_ms(deadline_ms) == 0)
        fail_msg("nothing happened in time; heard: %s", f->heard);
}

#define pump_until(f, condition)                                                         \
    do {                                                                                 \
        uint64_t deadline_ = sh_now_ms() + PATIENCE_MS;                                  \
        while (!(condition))                                                             \
            turn(f, deadline_);                                                          \
    } while (0)

/* --- the services ----------------------------------------------------------------- */

static inline void on_canceled(void *arg)
{
    ((struct fixture *)arg)->canceled++;
}

static inline void put_reply(struct fixture *f, struct sh_rpc_call *call)
{
    struct document_put_reply reply = {.chunks = 2, .created = true, .xid = 4000000007};
    struct document_put put;
    if (sh_rpc_call_decode(call, document_put_desc(), &put) != SH_OK)
        return;
    f->puts++;
    f->no_wait = put.no_wait;
    reply.visible = !put.no_wait;
    reply.document_id = put.document[0].id;
    reply.unchanged = sh_bytes_is(put.document[0].title, "same");
    reply.created = !reply.unchanged;
    sh_rpc_reply(call, document_put_reply_desc(), &reply);
}

static inline void on_put(void *arg, struct sh_rpc_call *call)
{
    struct fixture *f = arg;
    const uint8_t *key = sh_rpc_call_idempotency_key(call);
    f->keyed = key != NULL;
    if (key != NULL)
        memcpy(f->key, key, sizeof f->key);
    if (f->refusals > 0) {
        f->refusals--;
        sh_rpc_fail(call, SH_BUSY, NULL, NULL, "full");
    } else if (f->hold) {
        assert_true(f->held_count < HELD_MAX);
        sh_rpc_call_on_cancel(call, on_canceled, f);
        f->held[f->held_count++] = call;
    } else {
        put_reply(f, call);
    }
}

static inline void query_reply(struct fixture *f, struct sh_rpc_call *call)
{
    static const struct sh_bytes degraded[] = {{"embedding", 9}};
    static const struct sh_bytes added[] = {{"a \"b\"", 5}, {"c", 1}};
    static const struct search_expansion expanded = {{"AB", 2}, added, 2, {"acronym", 7}};
    const struct caller *caller = sh_rpc_call_caller(call);
    struct search_query query;
    struct search_hit hit = {.chunk_id = sh_bytes_of("d#0"),
                             .document_id = sh_bytes_of("d"),
                             .document_title = sh_bytes_of("A \"title\""),
                             .text = sh_bytes_of("text"),
                             .metadata = sh_bytes_of("{\"priority\":4}"),
                             .similarity = 0.867,
                             .combined_score = 0.834};
    struct search_results results = {.hits = &hit,
                                     .hits_count = 1,
                                     .total = 7,
                                     .degraded = degraded,
                                     .degraded_count = f->whole ? 0 : 1,
                                     .generation = f->generation,
                                     .expanded = &expanded,
                                     .expanded_count = 1};

    if (f->fail_with != SH_OK) {
        sh_rpc_fail(call, f->fail_with, NULL, "filters.colour", "secret %s", "sentence");
        return;
    }
    if (sh_rpc_call_decode(call, search_query_desc(), &query) != SH_OK)
        return;
    results.mode = query.mode;
    if (f->tell_role)
        hit.text = caller->role;
    hit.merged = added; /* any texts will do */
    hit.merged_count = query.merge ? 2 : 0;
    (void)snprintf(
        f->seen, sizeof f->seen, "[%.*s] max %u filters %.*s mode %u role %.*s/%u",
        (int)query.query.len, (const char *)query.query.data, query.max_results,
        (int)query.filters.len,
        query.filters.data ? (const char *)query.filters.data : "", query.mode,
        (int)caller->role.len, (const char *)caller->role.data, caller->clearance);
    (void)snprintf(f->flags, sizeof f->flags, "expand %d complete %d merge %d per %u",
                   !query.no_expand, query.require_complete, query.merge,
                   query.per_document);
    sh_rpc_reply(call, search_results_desc(), &results);
}

static inline void on_query(void *arg, struct sh_rpc_call *call)
{
    struct fixture *f = arg;

    f->queries++;
    if (f->hold && f->fail_with == SH_OK) {
        sh_rpc_call_on_cancel(call, on_canceled, f);
        f->held[f->held_count++] = call;
        return;
    }
    query_reply(f, call);
}

static inline void on_get(void *arg, struct sh_rpc_call *call)
{
    struct fixture *f = arg;
    struct document_ref ref;
    if (sh_rpc_call_decode(call, document_ref_desc(), &ref) != SH_OK)
        return;
    (void)snprintf(f->seen, sizeof f->seen, "get %.*s", (int)ref.id.len,
                   (const char *)ref.id.data);
    sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "there is no such document");
}

static inline void on_embed(void *arg, struct sh_rpc_call *call)
{
    static const float vectors[] = {0.5f, -0.25f, 0.1f, 1.0f};
    struct embed_request request;
    struct embed_reply reply = {
        .model = sh_bytes_of("tiny"), .dimension = 2, .tokens = 9, .load_us = 3};
    (void)arg;
    if (sh_rpc_call_decode(call, embed_request_desc(), &request) != SH_OK)
        return;
    reply.count = (uint32_t)request.texts_count;
    size_t bytes = (size_t)reply.count * 2 * sizeof(float);
    assert_true(bytes <= sizeof vectors);
    sh_rpc_reply_raw(call, embed_reply_desc(), &reply, (struct sh_bytes){vectors, bytes});
}

static inline void answer_held(struct fixture *f, size_t which)
{
    struct sh_rpc_call *call = f->held[which];
    f->held_count--;
    for (size_t i = which; i < f->held_count; i++)
        f->held[i] = f->held[i + 1];
    put_reply(f, call);
}

static inline void serve_at(struct fixture *f, const char *service, const char *name,
                            struct sh_rpc_server **out)
{
    char bind[128];
    (void)snprintf(bind, sizeof bind, "ipc://%s/%s", f->folder, name);
    const struct sh_rpc_server_options options = {
        .service = service, .bind = bind, .instance = name, .started = 1};
    assert_int_equal(sh_rpc_server_create(f->zmq, &options, out), SH_OK);
}

/* --- the client ------------------------------------------------------------------- */

static inline int dial(struct fixture *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(sh_http_server_port(f->edge.server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const void *address = &to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, address, sizeof to), 0); /* the backlog takes it */
    f->heard_len = 0;
    f->heard[0] = '\0';
    f->heard_end = false;
    return fd;
}

/* Leave so that the server learns it: an orderly close may be one of a client that still
 * reads. */
static inline void hang_up(int fd)
{
    const struct linger at_once = {1, 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come so far; true when it holds `text`. */
static inline bool heard(struct fixture *f, int fd, const char *text)
{
    ssize_t got =
        recv(fd, f->heard + f->heard_len, HEARD_MAX - 1 - f->heard_len, MSG_DONTWAIT);
    if (got > 0)
        f->heard_len += (size_t)got;
    f->heard_end = f->heard_end || got == 0;
    f->heard[f->heard_len] = '\0';
    return strstr(f->heard, text) != NULL;
}

/* The whole answer to one request whose connection closes afterwards. */
static inline const char *ask(struct fixture *f, const char *request)
{
    int fd = dial(f);
    say(fd, request);
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
    return f->heard;
}

static inline const char *post(struct fixture *f, const char *path, const char *more,
                               const char *body)
{
    static char request[65536];
    (void)snprintf(
        request, sizeof request,
        "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n"
        "%s\r\n%s",
        path, strlen(body), more, body);
    return ask(f, request);
}

static inline const char *get(struct fixture *f, const char *path)
{
    char request[1024];
    (void)snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return ask(f, request);
}

#define assert_says(text, part)                                                          \
    do {                                                                                 \
        if (strstr(text, part) == NULL)                                                  \
            fail_msg("no '%s' in: %s", part, text);                                      \
    } while (0)

/* --- set-up ----------------------------------------------------------------------- */

/* Addresses where nothing listens: what these tests show needs neither. */
static inline void set_stores(struct fixture *f)
{
    static char redis[128], pg[128];

    (void)snprintf(redis, sizeof redis, "unix://%s/redis", f->folder);
    (void)snprintf(pg, sizeof pg, "postgresql:///cairn?host=%s", f->folder);
    f->gateway.redis_config = (struct sh_redis_config){.url = redis, .timeout_ms = 1000};
    f->gateway.pg_config = (struct sh_pg_config){.url = pg, .pool_min = 1, .pool_max = 1};
}

/* What concerns identity and limits is as it is when nothing is set, but for what
 * FIXTURE_ADJUST(f) changes before anything is opened. */
static inline void set_identity(struct fixture *f)
{
    struct sh_buffer faults = {0};
    const struct sh_settings groups[] = {auth_settings(&f->gateway.auth_config),
                                         account_settings(&f->gateway.account_config),
                                         limits_settings(&f->gateway.limits_config)};
    f->gateway.process.environment = "development";
    assert_int_equal(sh_config_load(groups, SH_COUNT(groups), &faults), SH_OK);
    sh_buffer_free(&faults);
    f->gateway.limits_config.enabled = "false"; /* tests are in a hurry */
#ifdef FIXTURE_ADJUST
    FIXTURE_ADJUST(f);
#endif
    char why[256];
    if (!limits_open(&f->gateway.limits_config, f->gateway.config.auth_mode, "test",
                     &f->gateway.limits, why, sizeof why))
        fail_msg("%s", why);
    assert_int_equal(auth_open(&f->gateway.auth_config,
                               settings_want_tokens(&f->gateway.config), &f->loop, NULL,
                               &f->gateway.auth),
                     SH_OK);
}

static inline void configure(struct fixture *f)
{
    static char endpoints[PEER_COUNT][512];
    for (int p = 0; p < PEER_COUNT; p++)
        (void)snprintf(endpoints[p], sizeof endpoints[p], "ipc://%s/%s", f->folder,
                       peer_name((enum peer)p));
    for (int i = 2; i <= SEARCH_REPLICAS; i++) {
        size_t len = strlen(endpoints[PEER_SEARCH]);
        (void)snprintf(endpoints[PEER_SEARCH] + len, sizeof endpoints[0] - len,
                       ",ipc://%s/search-%d", f->folder, i);
    }
    f->gateway.config = (struct gateway_config){
        .api_host = "127.0.0.1",
        .auth_mode = "trusted",
        .search_endpoints = endpoints[PEER_SEARCH],
        .embedder_endpoints = endpoints[PEER_EMBEDDER],
        .graph_endpoints = endpoints[PEER_GRAPH],
        .backup_endpoints = endpoints[PEER_BACKUP],
        .max_results_per_query = 50,
        .max_body_bytes = 65536,
        .max_document_bytes = 65536,
        .ingest_window = WINDOW,
        .read_timeout_ms = 5 * PATIENCE_MS,
        .write_timeout_ms = 5 * PATIENCE_MS,
        .refresh_timeout_ms = 5 * PATIENCE_MS,
        .docs_enabled = true,
        .metrics_public = true,
    };
    f->gateway.health_config.profile = "union";
    f->gateway.loops = 1;
    set_stores(f);
    f->gateway.routes = routes_all(&f->gateway.route_count);
    assert_non_null(f->gateway.routes);
    assert_int_equal(
        router_create(f->gateway.routes, f->gateway.route_count, &f->gateway.router),
        SH_OK);
    assert_int_equal(board_create(&f->gateway.board), SH_OK);
    assert_int_equal(sh_health_create(&f->gateway.health), SH_OK);
    set_identity(f);
}

static inline void serve_search(struct fixture *f)
{
    serve_at(f, "search", "search", &f->search);
    assert_int_equal(
        sh_rpc_server_add(f->search, METHOD_SEARCH_QUERY, "search.query", 0, on_query, f),
        SH_OK);
    assert_int_equal(
        sh_rpc_server_add(f->search, METHOD_DOCUMENT_PUT, "search.put", 0, on_put, f),
        SH_OK);
    assert_int_equal(
        sh_rpc_server_add(f->search, METHOD_DOCUMENT_GET, "search.get", 0, on_get, f),
        SH_OK);
}

static inline void serve_embedder(struct fixture *f)
{
    serve_at(f, "embedder", "embedder", &f->embedder);
    assert_int_equal(sh_rpc_server_add(f->embedder, METHOD_EMBEDDER_EMBED,
                                       "embedder.embed", 0, on_embed, f),
                     SH_OK);
}

#ifndef BEFORE_EDGE
#define BEFORE_EDGE(f) (void)(f) /* what a test adds to the gateway */
#endif

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    assert_non_null(f);
    f->heard = calloc(1, HEARD_MAX);
    assert_non_null(f->heard);
    strcpy(f->folder, "/tmp/gateway-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(sh_zmq_loop_create(&f->loop, &f->zmq), SH_OK);
    configure(f);
    serve_search(f);
    serve_embedder(f);
    f->gateway.shell.config = &f->gateway.shell_config;
    BEFORE_EDGE(f);
    assert_int_equal(edge_open(&f->edge, &f->gateway, &f->loop, f->zmq, NULL), SH_OK);
    pump_until(f, edge_ready(&f->edge) &&
                      sh_rpc_client_ready(f->edge.peers[PEER_EMBEDDER]) == 1);
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    char path[128];
    edge_close(&f->edge);
    auth_close(&f->gateway.auth);
    cache_free(&f->gateway.answers);
    limits_close(&f->gateway.limits);
    sh_rpc_server_close(&f->search);
    sh_rpc_server_close(&f->embedder);
    sh_zmq_loop_close(&f->zmq);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    router_free(&f->gateway.router);
    sh_free(f->gateway.routes);
    board_free(&f->gateway.board);
    sh_health_close(&f->gateway.health);
    for (int p = 0; p < PEER_COUNT; p++) {
        (void)snprintf(path, sizeof path, "%s/%s", f->folder, peer_name((enum peer)p));
        unlink(path);
    }
    rmdir(f->folder);
    free(f->heard);
    free(f);
    return 0;
}

#endif
