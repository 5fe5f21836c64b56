/* http_conn: one connection's life: reading, the turn-taking between its input and the
 * request under way, and the ways to end. */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_internal.h"
#include "shared/mem.h"

enum {
    STEPS_MAX = 64, /* of one connection before others have a turn */
};

static void on_closed(uv_handle_t *handle)
{
    struct http_conn *conn = handle->data;
    sh_buffer_free(&conn->pending);
    http_tls_free(conn->tls);
    http_server_gone(conn);
    sh_free(conn);
}

void http_conn_close(struct http_conn *conn, bool reset)
{
    if (conn->closing)
        return;
    conn->closing = true;
    if (conn->admitted && conn->server->left)
        conn->server->left(conn->server->admit_arg, conn->peer);
    http_unlink(&conn->waiting);
    http_unlink(&conn->kicked);
    http_stream_close(conn);
    struct sh_http_request *request = conn->request;
    if (request) {
        conn->request = NULL;
        http_request_abort(request);
        http_request_return(request);
    }
    if (conn->tls && !reset)
        http_tls_bye(conn);
    if (!reset || uv_tcp_close_reset(&conn->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

/* --- ending ----------------------------------------------------------------------- */

/* Closing with bytes unread would reset the connection, and the client might never see
 * the answer: say that there is no more, and wait until it says the same. */
static void start_lingering(struct http_conn *conn)
{
    uv_os_fd_t fd;
    if (conn->tls)
        http_tls_bye(conn);
    if (conn->eof || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0 ||
        shutdown(fd, SHUT_WR) != 0) {
        http_conn_close(conn, false);
        return;
    }
    conn->lingering = true;
    conn->opened_ms = uv_now(conn->server->loop);
    http_deadline_set(conn, HTTP_WAIT_LINGER);
}

static void finish(struct http_conn *conn)
{
    if (conn->linger && !conn->lingering)
        start_lingering(conn);
    else if (!conn->lingering || conn->eof)
        http_conn_close(conn, false);
}

/* Bytes that the kernel has and the loop has not seen: a request that came in time. */
static bool has_unread_bytes(struct http_conn *conn)
{
    uv_os_fd_t fd;
    char byte;
    return uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0 &&
           recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool made_progress(struct http_conn *conn)
{
    uint64_t before = conn->taken;
    http_write_mark(conn);
    return conn->taken - before >= conn->server->limits.progress_bytes;
}

void http_conn_expired(struct http_conn *conn)
{
    switch (conn->wait) {
    case HTTP_WAIT_HEAD:
        if (conn->server->protocol)
            break;
        http_reply_fault(conn, HTTP_HEAD_TIMEOUT);
        http_conn_changed(conn);
        return;
    case HTTP_WAIT_BODY:
        if (conn->request) {
            http_reply_fault(conn, HTTP_BODY_TIMEOUT);
            http_conn_changed(conn);
            return;
        }
        break;
    case HTTP_WAIT_HANDSHAKE:
        http_tls_expired(conn);
        break;
    case HTTP_WAIT_IDLE:
        if (has_unread_bytes(conn))
            return;
        break;
    case HTTP_WAIT_WRITE:
        if (made_progress(conn))
            return;
        http_conn_close(conn, true);
        return;
    case HTTP_WAIT_LINGER:
    case HTTP_WAIT_NONE:
    case HTTP_WAIT_COUNT:
    default:
        break;
    }
    http_conn_close(conn, false);
}

/* --- turn-taking ------------------------------------------------------------------ */

void http_conn_used(struct http_conn *conn, size_t len)
{
    if (len == 0)
        return;
    conn->input.data = (const char *)conn->input.data + len;
    conn->input.len -= len;
    if (!conn->processing) {
        sh_buffer_consume(&conn->pending, len);
        conn->input = sh_buffer_bytes(&conn->pending);
    }
}

static bool throw_away(struct http_conn *conn)
{
    size_t len = conn->input.len;
    if (!conn->lingering && conn->discard < len)
        len = (size_t)conn->discard;
    if (!conn->lingering)
        conn->discard -= len;
    http_conn_used(conn, len);
    return len > 0;
}

static bool next_request(struct http_conn *conn)
{
    size_t end;
    enum http_fault fault =
        http_scan_head(&conn->scan, &conn->server->bounds, conn->input, &end);
    size_t skip = conn->scan.skip;
    if (fault == HTTP_FINE && end == 0 && skip == conn->input.len) {
        http_conn_used(conn, skip); /* nothing but empty lines: nothing */
        conn->scan = (struct http_scan){0};
        return false;
    }
    if (fault == HTTP_FINE && end == 0 && conn->eof)
        fault = HTTP_CUT_OFF;
    if (fault != HTTP_FINE)
        http_reply_fault(conn, fault);
    if (fault != HTTP_FINE || end == 0)
        return false;
    struct sh_bytes head = {(const char *)conn->input.data + skip, end - skip};
    struct sh_http_request *request = http_request_lend(conn, head);
    if (!request) {
        conn->broken = true;
        return false;
    }
    conn->request = request;
    conn->scan = (struct http_scan){0};
    http_deadline_set(conn, HTTP_WAIT_NONE);
    http_conn_used(conn, end);
    http_request_start(request);
    return true;
}

/* One thing that can be done now; false when there is none. */
static bool step(struct http_conn *conn)
{
    if (conn->closing || conn->broken)
        return false;
    if (conn->request)
        return http_request_read(conn->request);
    if (conn->lingering || conn->discard > 0)
        return throw_away(conn);
    if (conn->server->protocol)
        return http_stream_step(conn);
    if (conn->last || http_write_queued(conn) > 0)
        return false;
    return next_request(conn);
}

static enum http_wait what_for(const struct http_conn *conn)
{
    if (conn->lingering)
        return HTTP_WAIT_LINGER;
    if (conn->tls && !http_tls_is_open(conn->tls))
        return HTTP_WAIT_HANDSHAKE;
    if (http_write_queued(conn) > 0)
        return HTTP_WAIT_WRITE;
    if (conn->server->protocol)
        return http_stream_wait(conn);
    if (conn->request)
        return http_request_wants_body(conn->request) ? HTTP_WAIT_BODY : HTTP_WAIT_NONE;
    if (conn->discard > 0)
        return HTTP_WAIT_BODY;
    return conn->input.len > 0 ? HTTP_WAIT_HEAD : HTTP_WAIT_IDLE;
}

/* After something was done: what now? */
static void settle(struct http_conn *conn)
{
    if (conn->closing)
        return;
    if (conn->broken) {
        http_conn_close(conn, false);
        return;
    }
    if (conn->eof && conn->stream.state) {
        http_conn_close(conn, false); /* and whatever it waited for */
        return;
    }
    bool over = conn->last || (conn->eof && conn->input.len == 0);
    if (over && !conn->request && http_write_queued(conn) == 0) {
        finish(conn);
        if (conn->closing)
            return;
    }
    http_read_choose(conn);
    if (!conn->closing)
        http_deadline_set(conn, what_for(conn));
}

/* What was not parsed must survive the next read. */
static void keep_rest(struct http_conn *conn)
{
    if (conn->input_is_scratch)
        sh_buffer_append(&conn->pending, conn->input.data, conn->input.len);
    else
        sh_buffer_consume(&conn->pending, conn->pending.len - conn->input.len);
    conn->input_is_scratch = false;
    if (conn->pending.err != SH_OK)
        conn->broken = true;
    if (conn->pending.len == 0 && conn->pending.data)
        sh_buffer_free(&conn->pending);
    conn->input = sh_buffer_bytes(&conn->pending);
}

void http_conn_process(struct http_conn *conn)
{
    if (conn->closing)
        return;
    assert(!conn->processing);
    conn->processing = true;
    int steps = 0;
    while (steps < STEPS_MAX && step(conn))
        steps++;
    conn->processing = false;
    keep_rest(conn);
    if (steps == STEPS_MAX)
        http_server_kick(conn);
    else
        settle(conn);
}

void http_conn_changed(struct http_conn *conn)
{
    if (conn->processing || conn->closing)
        return; /* the loop above sees to it */
    bool more = conn->request ? !conn->request->paused : conn->input.len > 0 || conn->eof;
    if (more)
        http_server_kick(conn);
    else
        settle(conn);
}

/* --- the beginning ---------------------------------------------------------------- */

void http_conn_peer(const struct sockaddr_storage *from, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in6 *v6 = (const void *)from;
    if (from->ss_family == AF_INET) {
        uv_ip4_name((const void *)from, out, INET6_ADDRSTRLEN);
    } else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
        uv_ip4_name(&v4, out, INET6_ADDRSTRLEN);
    } else {
        uv_ip6_name(v6, out, INET6_ADDRSTRLEN);
    }
}

static void on_never_opened(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static enum sh_err open_socket(struct sh_http_server *server, int fd,
                               struct http_conn **out)
{
    struct http_conn *conn = sh_alloc(sizeof(*conn));
    if (!conn) {
        close(fd);
        return SH_NOMEM;
    }
    int rc = uv_tcp_init(server->loop, &conn->tcp);
    assert(rc == 0); /* cannot fail without flags */
    conn->tcp.data = conn;
    conn->server = server;
    rc = uv_tcp_open(&conn->tcp, fd);
    if (rc != 0) {
        close(fd);
        uv_close((uv_handle_t *)&conn->tcp, on_never_opened);
        return sh_err_from_uv(rc);
    }
    *out = conn;
    return SH_OK;
}

enum sh_err http_conn_open(struct sh_http_server *server, int fd, const char *peer,
                           enum http_fault refuse)
{
    struct http_conn *conn = NULL;
    enum sh_err err = open_socket(server, fd, &conn);
    if (!conn)
        return err;
    memcpy(conn->peer, peer, strnlen(peer, sizeof(conn->peer) - 1));
    server->connections++;
    server->refused += refuse != HTTP_FINE;
    conn->refused = refuse != HTTP_FINE;
    conn->admitted = refuse == HTTP_FINE;
    http_ring_add(&server->conns, &conn->all);
    sh_series_add(server->open, 1);
    if (server->tls.tls && (refuse != HTTP_FINE || !(conn->tls = http_tls_open(conn)))) {
        http_conn_close(conn, false); /* an answer would cost a handshake */
        return SH_OK;
    }
    if (server->protocol && (refuse != HTTP_FINE || !http_stream_open(conn))) {
        http_conn_close(conn, false); /* HTTP's answer would not be understood */
        return SH_OK;
    }
    if (refuse != HTTP_FINE)
        http_reply_fault(conn, refuse);
    settle(conn);
    return SH_OK;
}
