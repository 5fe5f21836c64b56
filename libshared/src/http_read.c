/* http_read: bytes from the socket, through TLS where it is spoken, to what a connection
 * has not parsed yet. */
#include "http_internal.h"

enum {
    PENDING_MAX = 16384, /* read on, though nobody can take it yet, up to here */
    LINGER_TOTAL_MS = 10000,
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    const struct http_conn *conn = handle->data;
    (void)suggested;
    *buf = uv_buf_init(conn->server->scratch, sizeof(conn->server->scratch));
}

static void no_more_input(struct http_conn *conn)
{
    conn->eof = true;
    conn->reading = false;
    uv_read_stop((uv_stream_t *)&conn->tcp);
}

/* False: the connection was closed. */
static bool decipher(struct http_conn *conn, struct sh_bytes *bytes)
{
    bool over = false;
    struct sh_bytes wire = *bytes;
    if (conn->lingering) { /* thrown away in any case */
        *bytes = (struct sh_bytes){0};
        return true;
    }
    if (!http_tls_read(conn, wire, bytes, &over)) {
        http_conn_close(conn, false);
        return false;
    }
    if (over)
        no_more_input(conn);
    return true;
}

static void take_input(struct http_conn *conn, struct sh_bytes bytes)
{
    if (conn->pending.len == 0) {
        conn->input = bytes;
        conn->input_is_scratch = true;
    } else {
        sh_buffer_append(&conn->pending, bytes.data, bytes.len);
        conn->input = sh_buffer_bytes(&conn->pending);
    }
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct http_conn *conn = stream->data;
    struct sh_bytes bytes = {buf->base, got > 0 ? (size_t)got : 0};
    if (got == 0)
        return;
    if (got < 0 && got != UV_EOF) {
        http_conn_close(conn, false);
        return;
    }
    if (got == UV_EOF)
        no_more_input(conn);
    else if (conn->tls && !decipher(conn, &bytes))
        return;
    if (bytes.len > 0)
        take_input(conn, bytes);
    conn->came += bytes.len;
    if (conn->lingering || (conn->wait == HTTP_WAIT_BODY &&
                            conn->came >= conn->server->limits.progress_bytes))
        http_deadline_touch(conn);
    if (conn->lingering &&
        uv_now(conn->server->loop) - conn->opened_ms > LINGER_TOTAL_MS) {
        http_conn_close(conn, false);
        return;
    }
    http_conn_process(conn);
}

void http_read_choose(struct http_conn *conn)
{
    const struct sh_http_request *request = conn->request;
    bool wanted = !conn->eof && (conn->input.len < PENDING_MAX ||
                                 (request && http_request_wants_body(request)) ||
                                 (!request && !http_write_queued(conn)));
    if (request && request->paused)
        wanted = false;
    if (wanted == conn->reading)
        return;
    conn->reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&conn->tcp);
    else if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        http_conn_close(conn, false);
}
