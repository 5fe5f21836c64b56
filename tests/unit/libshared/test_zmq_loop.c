#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/zmq_loop.h"

struct fixture {
    uv_loop_t loop;
    uv_timer_t wake;
    struct sh_zmq_loop *zmq;
    struct sh_zmq_socket *server; /* ROUTER */
    struct sh_zmq_socket *client; /* DEALER */
    size_t requests;
    size_t replies;
    size_t frames;
    size_t after_close;
    bool close_on_request;
    bool send_on_reply;
};

static void on_wake(uv_timer_t *timer)
{
    (void)timer;
}

static void turn(uv_loop_t *loop, uint64_t until_ms)
{
    assert_true(sh_now_ms() < until_ms);
    uv_run(loop, UV_RUN_ONCE);
}

/* The loop turns until `condition`, or the test fails. */
#define PUMP(f, condition)                                                               \
    for (uint64_t until_ = sh_now_ms() + 10000; !(condition); turn(&(f)->loop, until_))  \
    continue

static enum sh_err send_frames(struct sh_zmq_socket *socket, size_t count)
{
    zmq_msg_t frames[8];
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init_size(&frames[i], 4);
        memcpy(zmq_msg_data(&frames[i]), "ping", 4);
    }
    enum sh_err err = sh_zmq_socket_send(socket, frames, count);
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
    return err;
}

static void on_server(void *arg, zmq_msg_t *frames, size_t count)
{
    struct fixture *f = arg;
    f->requests++;
    f->frames = count;
    if (!f->server) {
        f->after_close++;
        return;
    }
    if (f->close_on_request)
        sh_zmq_socket_close(&f->server);
    else
        assert_int_equal(sh_zmq_socket_send(f->server, frames, count), SH_OK);
}

static void on_client(void *arg, zmq_msg_t *frames, size_t count)
{
    struct fixture *f = arg;
    (void)frames;
    (void)count;
    f->replies++;
    if (f->send_on_reply && f->replies < 500)
        assert_int_equal(send_frames(f->client, 1), SH_OK);
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    char endpoint[64];
    size_t size = sizeof(endpoint);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    uv_timer_init(&f.loop, &f.wake);
    uv_timer_start(&f.wake, on_wake, 50, 50);
    assert_int_equal(sh_zmq_loop_create(&f.loop, &f.zmq), SH_OK);

    void *router = sh_zmq_socket_new(f.zmq, ZMQ_ROUTER);
    int mandatory = 1;
    zmq_setsockopt(router, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof(mandatory));
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size);
    struct sh_zmq_handler server = {on_server, &f};
    assert_int_equal(sh_zmq_socket_add(f.zmq, router, &server, &f.server), SH_OK);

    void *dealer = sh_zmq_socket_new(f.zmq, ZMQ_DEALER);
    int linger = 0;
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger, sizeof(linger));
    zmq_setsockopt(router, ZMQ_LINGER, &linger, sizeof(linger));
    struct sh_zmq_handler client = {on_client, &f};
    assert_int_equal(sh_zmq_socket_add(f.zmq, dealer, &client, &f.client), SH_OK);
    assert_int_equal(zmq_connect(dealer, endpoint), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sh_zmq_socket_close(&f->client);
    sh_zmq_socket_close(&f->server);
    sh_zmq_loop_close(&f->zmq);
    uv_close((uv_handle_t *)&f->wake, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&f->loop);
}

/* More than one turn's share, all sent before the loop looks once. */
static void a_burst_arrives_whole(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 700; i++)
        assert_int_equal(send_frames(f->client, 1), SH_OK);
    PUMP(f, f->replies == 700);
    assert_int_equal(f->requests, 700);
}

/* Sending consumes the edge of what has arrived meanwhile: nothing may be missed. */
static void ping_pong_from_inside_handlers_does_not_stall(void **state)
{
    struct fixture *f = *state;
    f->send_on_reply = true;
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_frames(f->client, 1), SH_OK);
    PUMP(f, f->replies >= 500);
}

static void eight_frames_arrive_and_nine_do_not(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(send_frames(f->client, 8), SH_OK); /* nine with the identity */
    assert_int_equal(send_frames(f->client, 7), SH_OK);
    PUMP(f, f->requests == 1);
    assert_int_equal(f->frames, 8);
    PUMP(f, f->replies == 1);
}

static void a_handler_may_close_its_own_socket(void **state)
{
    struct fixture *f = *state;
    f->close_on_request = true;
    for (int i = 0; i < 10; i++)
        assert_int_equal(send_frames(f->client, 1), SH_OK);
    PUMP(f, f->requests == 1);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->after_close, 0);
}

static void an_unknown_peer_is_not_found(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(send_frames(f->server, 2), SH_NOTFOUND);
}

static void a_socket_without_a_peer_is_busy(void **state)
{
    struct fixture *f = *state;
    void *dealer = sh_zmq_socket_new(f->zmq, ZMQ_DEALER);
    struct sh_zmq_handler handler = {on_client, f};
    struct sh_zmq_socket *lonely = NULL;
    assert_int_equal(sh_zmq_socket_add(f->zmq, dealer, &handler, &lonely), SH_OK);
    assert_int_equal(send_frames(lonely, 2), SH_BUSY);
    assert_ptr_equal(sh_zmq_socket_raw(lonely), dealer);
    sh_zmq_socket_close(&lonely);
    assert_null(lonely);
}

static void no_memory_is_reported(void **state)
{
    struct fixture *f = *state;
    struct sh_zmq_loop *zmq = NULL;
    struct sh_zmq_socket *socket = NULL;
    struct sh_zmq_handler handler = {on_client, f};
    sh_mem_fail_after(0);
    assert_int_equal(sh_zmq_loop_create(&f->loop, &zmq), SH_NOMEM);
    sh_mem_fail_after(0);
    assert_int_equal(sh_zmq_socket_add(f->zmq, sh_zmq_socket_new(f->zmq, ZMQ_DEALER),
                                       &handler, &socket),
                     SH_NOMEM);
    sh_mem_fail_after(-1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_burst_arrives_whole),
        T(ping_pong_from_inside_handlers_does_not_stall),
        T(eight_frames_arrive_and_nine_do_not),
        T(a_handler_may_close_its_own_socket),
        T(an_unknown_peer_is_not_found),
        T(a_socket_without_a_peer_is_busy),
        T(no_memory_is_reported),
    };
    return cmocka_run_group_tests_name("zmq_loop", tests, NULL, NULL);
}
