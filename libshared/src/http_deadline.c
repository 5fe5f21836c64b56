/* http_deadline: time limits of connections without a timer each. A list per kind of
 * wait, oldest first; all in it have the same limit. */
#include <assert.h>

#include "http_internal.h"

enum {
    TICK_MIN_MS = 5,
    TICK_MAX_MS = 500,
    LINGER_MS = 2000,
};

static void on_tick(uv_timer_t *timer)
{
    http_deadline_sweep(timer->data);
}

static uint64_t tick_ms(const struct sh_http_server *server)
{
    uint64_t tick = (uint64_t)TICK_MAX_MS * 4;
    for (int wait = HTTP_WAIT_IDLE; wait < HTTP_WAIT_COUNT; wait++) {
        if (server->timeouts_ms[wait] < tick)
            tick = server->timeouts_ms[wait];
    }
    tick /= 4;
    return tick > TICK_MIN_MS ? tick : TICK_MIN_MS;
}

void http_deadline_init(struct sh_http_server *server)
{
    const struct sh_http_limits *limits = &server->limits;
    server->timeouts_ms[HTTP_WAIT_NONE] = UINT64_MAX;
    server->timeouts_ms[HTTP_WAIT_IDLE] = limits->idle_timeout_ms;
    server->timeouts_ms[HTTP_WAIT_HANDSHAKE] = limits->handshake_timeout_ms;
    server->timeouts_ms[HTTP_WAIT_HEAD] = limits->head_timeout_ms;
    server->timeouts_ms[HTTP_WAIT_BODY] = limits->body_timeout_ms;
    server->timeouts_ms[HTTP_WAIT_WRITE] = limits->write_timeout_ms;
    server->timeouts_ms[HTTP_WAIT_LINGER] = LINGER_MS;
    for (int wait = 0; wait < HTTP_WAIT_COUNT; wait++)
        http_ring_init(&server->waits[wait]);
}

/* The timer runs only while there are connections: an idle service does not wake. */
static void start_ticking(struct sh_http_server *server)
{
    uint64_t tick = tick_ms(server);
    server->ticking = true;
    int rc = uv_timer_start(&server->timer, on_tick, tick, tick);
    assert(rc == 0); /* only fails on a closing handle */
    (void)rc;
}

void http_deadline_set(struct http_conn *conn, enum http_wait wait)
{
    if (conn->wait == wait)
        return;
    conn->wait = wait;
    http_deadline_touch(conn);
}

void http_deadline_touch(struct http_conn *conn)
{
    struct sh_http_server *server = conn->server;
    conn->since_ms = uv_now(server->loop);
    conn->came = 0;
    if (conn->wait == HTTP_WAIT_NONE)
        http_unlink(&conn->waiting);
    else
        http_ring_add(&server->waits[conn->wait], &conn->waiting);
    if (!server->ticking && !server->closing)
        start_ticking(server);
}

void http_deadline_sweep(struct sh_http_server *server)
{
    uint64_t now = uv_now(server->loop);
    for (int wait = HTTP_WAIT_IDLE; wait < HTTP_WAIT_COUNT; wait++) {
        struct http_link *ring = &server->waits[wait];
        while (!http_ring_empty(ring)) {
            struct http_conn *conn =
                SH_CONTAINER_OF(ring->next, struct http_conn, waiting);
            if (now - conn->since_ms < server->timeouts_ms[wait])
                break;
            http_deadline_touch(conn); /* so that the sweep ends whatever happens */
            http_conn_expired(conn);
        }
    }
    if (server->connections == 0 && !server->closing) {
        uv_timer_stop(&server->timer);
        server->ticking = false;
    }
}
