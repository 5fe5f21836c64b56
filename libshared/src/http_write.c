/* http_write: bytes to the client. Tried at once, since a socket almost always takes an
 * answer whole; only the rest is copied and queued. */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "http_internal.h"
#include "shared/mem.h"

struct write {
    uv_write_t req;
    char data[];
};

size_t http_write_queued(const struct http_conn *conn)
{
    return conn->tcp.write_queue_size;
}

/* What the peer has acknowledged, not what the kernel has taken: its buffer holds more
 * than a slow reader may read within the write timeout. */
void http_write_mark(struct http_conn *conn)
{
    uv_os_fd_t fd;
    int unacknowledged = 0;
    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0 ||
        ioctl(fd, SIOCOUTQ, &unacknowledged) != 0)
        unacknowledged = 0;
    conn->taken = conn->written - http_write_queued(conn) - (uint64_t)unacknowledged;
}

/* Enough has been taken for a streaming handler to go on. */
static void tell_drained(struct http_conn *conn)
{
    struct sh_http_request *request = conn->request;
    if (!request || !request->want_drained ||
        http_write_queued(conn) > conn->server->limits.write_buffer / 2)
        return;
    request->want_drained = false;
    if (request->drained)
        request->drained(request->drained_arg);
}

static void on_written(uv_write_t *req, int status)
{
    struct http_conn *conn = req->data;
    sh_free(req);
    if (conn->closing)
        return;
    if (status < 0) {
        http_conn_close(conn, false);
        return;
    }
    http_deadline_touch(conn);
    tell_drained(conn);
    if (!conn->closing)
        http_conn_process(conn);
}

void http_write_fail(struct http_conn *conn)
{
    conn->broken = true;
    http_server_kick(conn); /* callers are told later, never from inside */
}

static void queue(struct http_conn *conn, const struct sh_bytes *parts, unsigned count,
                  size_t skip)
{
    size_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += parts[i].len;
    struct write *write = sh_alloc(sizeof(*write) + total - skip);
    if (!write) {
        http_write_fail(conn);
        return;
    }
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t past = skip < parts[i].len ? skip : parts[i].len;
        skip -= past;
        if (parts[i].len > past)
            memcpy(write->data + len, (const char *)parts[i].data + past,
                   parts[i].len - past);
        len += parts[i].len - past;
    }
    write->req.data = conn;
    uv_buf_t buf = {.base = write->data, .len = len};
    int rc = uv_write(&write->req, (uv_stream_t *)&conn->tcp, &buf, 1, on_written);
    if (rc < 0) {
        sh_free(write);
        http_write_fail(conn);
        return;
    }
    if (conn->wait != HTTP_WAIT_WRITE) {
        http_write_mark(conn);
        http_deadline_set(conn, HTTP_WAIT_WRITE);
    }
}

void http_write_raw(struct http_conn *conn, const struct sh_bytes *parts, unsigned count)
{
    uv_buf_t bufs[HTTP_WRITE_PARTS_MAX];
    size_t total = 0;
    if (conn->closing || conn->broken)
        return;
    for (unsigned i = 0; i < count; i++) {
        /* libuv only reads, but has no const */
        memcpy(&bufs[i].base, &parts[i].data, sizeof(bufs[i].base));
        bufs[i].len = parts[i].len;
        total += parts[i].len;
    }
    conn->written += total;
    int sent = UV_EAGAIN;
    if (http_write_queued(conn) == 0)
        sent = uv_try_write((uv_stream_t *)&conn->tcp, bufs, count);
    if (sent < 0 && sent != UV_EAGAIN)
        http_write_fail(conn);
    else if (sent < 0 || (size_t)sent < total)
        queue(conn, parts, count, sent < 0 ? 0 : (size_t)sent);
}

void http_write(struct http_conn *conn, const struct sh_bytes *parts, unsigned count)
{
    if (conn->closing || conn->broken)
        return;
    if (conn->tls)
        http_tls_write(conn, parts, count);
    else
        http_write_raw(conn, parts, count);
}
