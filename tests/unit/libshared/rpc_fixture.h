/* rpc_fixture: servers and a client on one loop, over loopback, pumped until something
 * happens. */
#ifndef TESTS_LIBSHARED_RPC_FIXTURE_H
#define TESTS_LIBSHARED_RPC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/envelope.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/rpc_client.h"
#include "shared/rpc_server.h"

enum {
    SERVERS = 3,
    PATIENCE_MS = 60000,
    METHOD_ECHO = 1,
    METHOD_HOLD = 2, /* answered when the test says so */
    METHOD_FAIL = 3,
    METHOD_NAME = 4, /* says which server it is, and who asks */
    METHOD_BIG = 5,  /* as echo, up to 8 MiB */
    HELD_MAX = 256,
};

struct peer_server {
    struct sh_rpc_server *rpc;
    char name[16];
    struct sh_rpc_call *held[HELD_MAX];
    size_t held_count;
    size_t calls;
    size_t canceled;
    bool drained;
    enum sh_err fail_with;
};

/* What a request came to. */
struct outcome {
    int calls;
    enum sh_err err;
    char code[64];
    char message[256];
    char meta[256]; /* the name in the reply */
    char *payload;
    size_t len;
    uint32_t retry_after_ms;
};

struct rpc_fixture {
    uv_loop_t loop;
    uv_timer_t wake; /* so that UV_RUN_ONCE returns */
    struct sh_zmq_loop *zmq;
    struct peer_server servers[SERVERS];
    struct sh_rpc_client *client;
    int changes;
};

static void fixture_on_wake(uv_timer_t *timer)
{
    (void)timer;
}

static void on_echo(void *arg, struct sh_rpc_call *call)
{
    struct peer_server *server = arg;
    server->calls++;
    sh_rpc_reply_raw(call, NULL, NULL, sh_rpc_call_payload(call));
}

static void on_held_canceled(void *arg)
{
    struct peer_server *server = arg;
    server->canceled++;
}

static void on_hold(void *arg, struct sh_rpc_call *call)
{
    struct peer_server *server = arg;
    server->calls++;
    assert_true(server->held_count < HELD_MAX);
    sh_rpc_call_on_cancel(call, on_held_canceled, server);
    server->held[server->held_count++] = call;
}

static void on_fail(void *arg, struct sh_rpc_call *call)
{
    struct peer_server *server = arg;
    server->calls++;
    sh_rpc_fail(call, server->fail_with, "told_to", "name", "told to by %s", "the test");
}

static void on_name(void *arg, struct sh_rpc_call *call)
{
    struct peer_server *server = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct document_put_reply reply = {0};
    char text[256];
    const struct sh_trace *trace = sh_rpc_call_trace(call);
    (void)snprintf(text, sizeof(text), "%s|%.*s|%.*s|%u|%s", server->name,
                   (int)caller->user_id.len, (const char *)caller->user_id.data,
                   (int)caller->request_id.len, (const char *)caller->request_id.data,
                   caller->clearance, trace->request_id);
    server->calls++;
    reply.document_id = sh_bytes_of(text);
    sh_rpc_reply(call, document_put_reply_desc(), &reply);
}

static inline void held_answer(struct peer_server *server)
{
    size_t count = server->held_count;
    server->held_count = 0;
    for (size_t i = 0; i < count; i++)
        sh_rpc_reply_raw(server->held[i], NULL, NULL, sh_bytes_of(server->name));
}

static inline void serve(struct rpc_fixture *f, size_t i, const char *bind,
                         uint32_t max_in_flight)
{
    struct peer_server *s = &f->servers[i];
    *s = (struct peer_server){0};
    (void)snprintf(s->name, sizeof(s->name), "server-%zu", i);
    struct sh_rpc_server_options options = {
        .service = "test",
        .bind = bind,
        .instance = s->name,
        .started = 1,
        .max_in_flight = max_in_flight,
    };
    assert_int_equal(sh_rpc_server_create(f->zmq, &options, &s->rpc), SH_OK);
    assert_int_equal(sh_rpc_server_add(s->rpc, METHOD_ECHO, "echo", 0, on_echo, s),
                     SH_OK);
    assert_int_equal(sh_rpc_server_add(s->rpc, METHOD_HOLD, "hold", 0, on_hold, s),
                     SH_OK);
    assert_int_equal(sh_rpc_server_add(s->rpc, METHOD_FAIL, "fail", 0, on_fail, s),
                     SH_OK);
    assert_int_equal(sh_rpc_server_add(s->rpc, METHOD_NAME, "name", 0, on_name, s),
                     SH_OK);
    assert_int_equal(sh_rpc_server_add(s->rpc, METHOD_BIG, "big", 8 << 20, on_echo, s),
                     SH_OK);
}

static void on_changed(void *arg)
{
    struct rpc_fixture *f = arg;
    f->changes++;
}

static inline void connect_to(struct rpc_fixture *f, const char *endpoints)
{
    struct sh_rpc_client_options options = {.service = "test", .endpoints = endpoints};
    assert_int_equal(sh_rpc_client_create(f->zmq, &options, &f->client), SH_OK);
    sh_rpc_client_on_change(f->client, on_changed, f);
}

static inline void turn(uv_loop_t *loop, uint64_t until_ms)
{
    assert_true(sh_now_ms() < until_ms);
    uv_run(loop, UV_RUN_ONCE);
}

/* The loop turns until `condition`, or the test fails. */
#define PUMP(f, condition)                                                               \
    for (uint64_t until_ = sh_now_ms() + PATIENCE_MS; !(condition);                      \
         turn(&(f)->loop, until_))                                                       \
    continue

/* For what must not happen: the loop turns for a while. */
static inline void pump_for(struct rpc_fixture *f, uint64_t ms)
{
    uint64_t until = sh_now_ms() + ms;
    while (sh_now_ms() < until)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static inline void start(struct rpc_fixture *f, size_t servers, uint32_t max_in_flight)
{
    char endpoints[1024] = "";
    for (size_t i = 0; i < servers; i++) {
        serve(f, i, "tcp://127.0.0.1:0", max_in_flight);
        size_t len = strlen(endpoints);
        (void)snprintf(endpoints + len, sizeof(endpoints) - len, "%s%s", i ? "," : "",
                       sh_rpc_server_endpoint(f->servers[i].rpc));
    }
    connect_to(f, endpoints);
    PUMP(f, sh_rpc_client_ready(f->client) == servers);
}

static void on_done(void *arg, const struct sh_rpc_response *response)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    outcome->err = response->err;
    outcome->retry_after_ms = response->retry_after_ms;
    (void)snprintf(outcome->code, sizeof(outcome->code), "%s", response->code);
    (void)snprintf(outcome->message, sizeof(outcome->message), "%s", response->message);
    free(outcome->payload);
    outcome->payload = malloc(response->payload.len + 1);
    outcome->len = response->payload.len;
    if (outcome->len > 0)
        memcpy(outcome->payload, response->payload.data, outcome->len);
    outcome->payload[outcome->len] = 0;
}

static inline struct sh_rpc_request request_of(uint32_t method, enum sh_rpc_kind kind,
                                               uint64_t timeout_ms)
{
    return (struct sh_rpc_request){
        .method = method,
        .kind = kind,
        .payload = sh_bytes_of("hello"),
        .deadline_ms = sh_now_ms() + timeout_ms,
    };
}

static inline enum sh_err ask(struct rpc_fixture *f, uint32_t method,
                              enum sh_rpc_kind kind, struct outcome *outcome)
{
    struct sh_rpc_request request = request_of(method, kind, PATIENCE_MS);
    return sh_rpc_send(f->client, &request, on_done, outcome, NULL);
}

static inline int fixture_set_up(void **state)
{
    static struct rpc_fixture f;
    f = (struct rpc_fixture){0};
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.wake);
    uv_timer_start(&f.wake, fixture_on_wake, 10, 10);
    assert_int_equal(sh_zmq_loop_create(&f.loop, &f.zmq), SH_OK);
    *state = &f;
    return 0;
}

/* Closing the loop fails if any handle leaked. */
static inline int fixture_tear_down(void **state)
{
    struct rpc_fixture *f = *state;
    sh_rpc_client_close(&f->client);
    for (size_t i = 0; i < SERVERS; i++) {
        held_answer(&f->servers[i]);
        sh_rpc_server_close(&f->servers[i].rpc);
    }
    sh_zmq_loop_close(&f->zmq);
    uv_close((uv_handle_t *)&f->wake, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&f->loop);
}

#endif
