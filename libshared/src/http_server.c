/* http_server: the listener of one loop and its connections. Accepting is done here and
 * not by uv_listen(): a drain must take what the kernel has queued before the listener is
 * closed (with SO_REUSEPORT nobody else gets it), and running out of descriptors must not
 * spin. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_internal.h"
#include "shared/log.h"
#include "shared/mem.h"

enum {
    ACCEPT_BATCH = 64,    /* then others have a turn */
    REFUSED_MAX = 128,    /* over the limit and being told; the rest is just closed */
    DRAIN_IDLE_MS = 1000, /* a request may be on its way on an idle connection */
};

static struct sh_family connections_family = {
    .kind = SH_GAUGE,
    .name = "cairn_http_connections",
    .help = "Open HTTP connections",
    .labels = {"listener"},
};
static struct sh_family in_flight_family = {
    .kind = SH_GAUGE,
    .name = "cairn_http_requests_in_flight",
    .help = "HTTP requests that a handler has not answered yet",
    .labels = {"listener"},
};
static struct sh_family faults_family = {
    .kind = SH_COUNTER,
    .name = "cairn_http_bad_requests_total",
    .help = "HTTP requests refused before, or taken away from, their handler",
    .labels = {"listener", "reason"},
};

/* --- accepting -------------------------------------------------------------------- */

static int accept_one(const struct sh_http_server *server, struct sockaddr_storage *from)
{
    socklen_t size = sizeof(*from);
    void *address = from;
    int fd;
    do
        fd = accept4(server->fd, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}

/* Without a descriptor the connection would stay readable for ever and the loop spin:
 * take it with the spare one and close it. */
static bool drop_one(struct sh_http_server *server)
{
    if ((errno != EMFILE && errno != ENFILE) || server->spare_fd < 0)
        return false;
    sh_warning(NULL, "out of file descriptors: a connection was dropped");
    close(server->spare_fd);
    struct sockaddr_storage from;
    int fd = accept_one(server, &from);
    if (fd >= 0)
        close(fd);
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

static enum http_fault judge(struct sh_http_server *server, const char *peer)
{
    if (server->connections - server->refused >= server->limits.connections)
        return HTTP_BUSY;
    if (server->admit && !server->admit(server->admit_arg, peer))
        return HTTP_CROWDED;
    return HTTP_FINE;
}

static void take(struct sh_http_server *server, int fd,
                 const struct sockaddr_storage *from)
{
    char peer[INET6_ADDRSTRLEN];
    http_conn_peer(from, peer);
    enum http_fault refuse = judge(server, peer);
    if (refuse != HTTP_FINE && server->refused >= REFUSED_MAX) {
        sh_series_add(server->faults[refuse], 1);
        close(fd);
    } else if (http_conn_open(server, fd, peer, refuse) != SH_OK && refuse == HTTP_FINE &&
               server->left) {
        server->left(server->admit_arg, peer);
    }
}

static void accept_up_to(struct sh_http_server *server, size_t count)
{
    for (size_t i = 0; i < count && server->fd >= 0; i++) {
        struct sockaddr_storage from = {0};
        int fd = accept_one(server, &from);
        if (fd >= 0)
            take(server, fd, &from);
        else if (!drop_one(server))
            break;
    }
}

static void on_acceptable(uv_poll_t *listener, int status, int events)
{
    struct sh_http_server *server = listener->data;
    (void)events;
    if (status < 0)
        sh_error(NULL, "listening on port %u: %s", (unsigned)server->port,
                 uv_strerror(status));
    else
        accept_up_to(server, ACCEPT_BATCH);
}

/* --- the end ---------------------------------------------------------------------- */

static void free_stock(struct sh_http_server *server)
{
    while (server->stock) {
        struct sh_http_request *request = server->stock;
        server->stock = request->next;
        sh_buffer_free(&request->head);
        sh_buffer_free(&request->body);
        sh_buffer_free(&request->extra);
        sh_free(request);
    }
}

static void free_server(struct sh_http_server *server)
{
    free_stock(server);
    sh_buffer_free(&server->out);
    sh_buffer_free(&server->problem);
    http_tls_unshare(&server->tls);
    http_packing_free(&server->packing);
    if (server->fd >= 0)
        close(server->fd);
    if (server->spare_fd >= 0)
        close(server->spare_fd);
    sh_free(server);
}

/* Something of the server has closed: is it the last one? */
static void check_end(struct sh_http_server *server)
{
    if (server->connections > 0)
        return;
    if (server->closing) {
        if (server->handles == 0)
            free_server(server);
        return;
    }
    void (*drained)(void *arg) = server->drained;
    if (server->draining && server->fd < 0 && drained) {
        server->drained = NULL;
        drained(server->drained_arg);
    }
}

void http_server_hold(struct sh_http_server *server)
{
    server->handles++;
}

void http_server_release(struct sh_http_server *server)
{
    server->handles--;
    check_end(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
    http_server_release(handle->data);
}

void http_server_gone(struct http_conn *conn)
{
    struct sh_http_server *server = conn->server;
    http_unlink(&conn->all);
    server->connections--;
    server->refused -= conn->refused;
    sh_series_add(server->open, -1);
    check_end(server);
}

/* At once: what the kernel accepts from here on would be lost. */
static void close_listener(struct sh_http_server *server)
{
    if (server->fd < 0)
        return;
    uv_close((uv_handle_t *)&server->listener, on_handle_closed); /* stops polling */
    close(server->fd);
    server->fd = -1;
}

void sh_http_server_drain(struct sh_http_server *server, void (*done)(void *arg),
                          void *arg)
{
    server->drained = done;
    server->drained_arg = arg;
    if (server->draining)
        return;
    server->draining = true;
    if (server->timeouts_ms[HTTP_WAIT_IDLE] > DRAIN_IDLE_MS)
        server->timeouts_ms[HTTP_WAIT_IDLE] = DRAIN_IDLE_MS;
    accept_up_to(server, SIZE_MAX);
    close_listener(server);
    http_deadline_sweep(server);
}

void sh_http_server_close(struct sh_http_server **server_p)
{
    struct sh_http_server *server = *server_p;
    if (!server)
        return;
    *server_p = NULL;
    server->closing = true;
    close_listener(server);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->kicker, on_handle_closed);
    for (struct http_link *at = server->conns.next; at != &server->conns;) {
        struct http_conn *conn = SH_CONTAINER_OF(at, struct http_conn, all);
        at = at->next;
        http_conn_close(conn, false);
    }
}

/* --- the kicker ------------------------------------------------------------------- */

static void on_kick(uv_idle_t *kicker)
{
    struct sh_http_server *server = kicker->data;
    struct http_link turn; /* those kicked meanwhile wait for the next turn */
    http_ring_init(&turn);
    while (!http_ring_empty(&server->kicked))
        http_ring_add(&turn, server->kicked.next);
    uv_idle_stop(kicker);
    while (!http_ring_empty(&turn)) {
        struct http_conn *conn = SH_CONTAINER_OF(turn.next, struct http_conn, kicked);
        http_unlink(&conn->kicked);
        http_conn_process(conn);
    }
}

void http_server_kick(struct http_conn *conn)
{
    struct sh_http_server *server = conn->server;
    if (conn->kicked.next || conn->closing)
        return;
    http_ring_add(&server->kicked, &conn->kicked);
    if (!server->closing)
        uv_idle_start(&server->kicker, on_kick);
}

/* --- the beginning ---------------------------------------------------------------- */

static struct sh_http_limits with_defaults(struct sh_http_limits limits)
{
    static const struct sh_http_limits defaults = {
        .head_bytes = 16384,
        .headers = 64,
        .connections = 10000,
        .head_timeout_ms = 10000,
        .body_timeout_ms = 20000,
        .idle_timeout_ms = 75000,
        .write_timeout_ms = 20000,
        .write_buffer = 1048576,
        .handshake_timeout_ms = 10000,
        .handshakes = 1000,
        .progress_bytes = 512,
    };
#define TAKE(member)                                                                     \
    if (limits.member == 0)                                                              \
    limits.member = defaults.member
    TAKE(head_bytes);
    TAKE(headers);
    TAKE(connections);
    TAKE(head_timeout_ms);
    TAKE(body_timeout_ms);
    TAKE(idle_timeout_ms);
    TAKE(write_timeout_ms);
    TAKE(write_buffer);
    TAKE(handshake_timeout_ms);
    TAKE(handshakes);
    TAKE(progress_bytes);
#undef TAKE
    return limits;
}

static const char *listener_label(const struct sh_http_server_options *options)
{
    return options->metrics_label ? options->metrics_label : "http";
}

static void find_series(struct sh_http_server *server, const char *listener)
{
    server->open = sh_series(&connections_family, &listener);
    server->in_flight = sh_series(&in_flight_family, &listener);
    for (int fault = HTTP_FINE + 1; fault < HTTP_FAULT_COUNT; fault++) {
        const char *values[] = {listener, http_fault_reason((enum http_fault)fault)};
        server->faults[fault] = sh_series(&faults_family, values);
    }
}

static void init_handles(struct sh_http_server *server)
{
    int rc = uv_timer_init(server->loop, &server->timer);
    assert(rc == 0); /* neither can fail in libuv */
    rc = uv_idle_init(server->loop, &server->kicker);
    assert(rc == 0);
    (void)rc;
    server->timer.data = server;
    server->kicker.data = server;
    server->listener.data = server;
    server->handles = 3;
}

/* libuv writes without MSG_NOSIGNAL; a client that left must not end the process. */
static void ignore_sigpipe(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        now.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &now, NULL);
    }
}

enum sh_err sh_http_server_create(uv_loop_t *loop,
                                  const struct sh_http_server_options *options,
                                  struct sh_http_server **out)
{
    enum sh_err err = SH_OK;
    struct sh_http_server *server = sh_alloc(sizeof(*server));
    if (!server)
        return SH_NOMEM;
    server->loop = loop;
    server->handler = options->handler;
    server->protocol = options->protocol;
    server->arg = options->arg;
    server->admit = options->admit;
    server->left = options->left;
    server->admit_arg = options->admit_arg;
    server->fixed = options->fixed;
    server->packing.least = options->pack_least;
    server->limits = with_defaults(options->limits);
    server->bounds =
        (struct http_bounds){server->limits.head_bytes, server->limits.headers};
    server->spare_fd = -1;
    server->fd = -1;
    err = http_tls_share(&server->tls, options->tls, server->limits.handshakes,
                         listener_label(options));
    if (err != SH_OK)
        goto fail;
    server->fd = http_listen(options, &err, &server->port);
    if (server->fd < 0)
        goto fail;
    int rc = uv_poll_init(loop, &server->listener, server->fd);
    if (rc != 0) {
        err = sh_err_from_uv(rc);
        goto fail;
    }
    init_handles(server);
    http_ring_init(&server->conns);
    http_ring_init(&server->kicked);
    http_deadline_init(server);
    find_series(server, listener_label(options));
    ignore_sigpipe();
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    rc = uv_poll_start(&server->listener, UV_READABLE, on_acceptable);
    assert(rc == 0); /* only fails on a closing handle */
    *out = server;
    return SH_OK;
fail:
    free_server(server);
    return err;
}

uint16_t sh_http_server_port(const struct sh_http_server *server)
{
    return server->port;
}

size_t sh_http_server_connections(const struct sh_http_server *server)
{
    return server->connections;
}
