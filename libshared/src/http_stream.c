/* http_stream: what a connection does when its server speaks another protocol. */
#include "http_internal.h"

static struct http_conn *conn_of(struct sh_stream *stream)
{
    return SH_CONTAINER_OF(stream, struct http_conn, stream);
}

static const struct http_conn *seen_conn_of(const struct sh_stream *stream)
{
    const char *at = (const char *)stream - offsetof(struct http_conn, stream);
    return (const void *)at;
}

bool http_stream_open(struct http_conn *conn)
{
    const struct sh_http_server *server = conn->server;
    if (!server->protocol)
        return true;
    conn->stream.state = server->protocol->opened(server->arg, &conn->stream);
    return conn->stream.state != NULL;
}

void http_stream_close(struct http_conn *conn)
{
    void *state = conn->stream.state;
    conn->stream.state = NULL;
    if (state)
        conn->server->protocol->closed(state);
}

bool http_stream_step(struct http_conn *conn)
{
    struct sh_stream *stream = &conn->stream;
    if (conn->last || !stream->state || (conn->tls && !http_tls_is_open(conn->tls)))
        return false;
    size_t taken = conn->server->protocol->work(stream->state, conn->input);
    http_conn_used(conn, taken);
    return taken > 0 && conn->input.len > 0;
}

enum http_wait http_stream_wait(const struct http_conn *conn)
{
    switch (conn->stream.phase) {
    case SH_STREAM_GREETING:
        return HTTP_WAIT_HEAD;
    case SH_STREAM_IDLE:
        return HTTP_WAIT_IDLE;
    case SH_STREAM_PARTIAL:
        return HTTP_WAIT_BODY;
    case SH_STREAM_BUSY:
    default:
        return HTTP_WAIT_NONE;
    }
}

void sh_stream_send(struct sh_stream *stream, struct sh_bytes bytes)
{
    http_write(conn_of(stream), &bytes, 1);
}

bool sh_stream_has_room(const struct sh_stream *stream)
{
    const struct http_conn *conn = seen_conn_of(stream);
    return http_write_queued(conn) <= conn->server->limits.write_buffer;
}

void sh_stream_kick(struct sh_stream *stream)
{
    http_server_kick(conn_of(stream));
}

void sh_stream_phase(struct sh_stream *stream, enum sh_stream_phase phase)
{
    stream->phase = phase;
}

void sh_stream_end(struct sh_stream *stream)
{
    struct http_conn *conn = conn_of(stream);
    conn->last = true;
    conn->linger = true;
    http_server_kick(conn);
}

const char *sh_stream_peer(const struct sh_stream *stream)
{
    return seen_conn_of(stream)->peer;
}

bool sh_stream_draining(const struct sh_stream *stream)
{
    return seen_conn_of(stream)->server->draining;
}
