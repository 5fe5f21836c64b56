/* http_reply: the handler's answers, whole or streamed, and what becomes of the
 * connection after them. */
#include "http_internal.h"
#include "shared/clock.h"

enum {
    JOIN_MAX = 16384,     /* copying a body behind its head is cheaper than two parts */
    DISCARD_MAX = 262144, /* of an unread body, to keep the connection */
};

static bool has_body(const struct sh_http_request *request, int status)
{
    return !request->parse.is_head && status >= 200 && status != 204 && status != 304;
}

/* --- what was not read ------------------------------------------------------------ */

static void give_up(struct http_conn *conn)
{
    conn->last = true;
    conn->linger = true;
}

/* The next request starts behind this one's body: find its end, or close. */
static void pass_body(struct sh_http_request *request)
{
    struct http_conn *conn = request->conn;
    struct http_parse *parse = &request->parse;
    enum http_piece kind;
    do {
        struct sh_bytes piece;
        size_t used;
        kind = http_parse_body(parse, conn->input, &used, &piece);
        http_conn_used(conn, used);
    } while (kind == HTTP_PIECE);

    if (kind == HTTP_END)
        return;
    uint64_t left = parse->content_length - parse->body_seen;
    if (kind == HTTP_WRONG || parse->chunked || parse->expects_continue ||
        left > DISCARD_MAX)
        give_up(conn);
    else
        conn->discard = left;
}

static void decide_end(struct sh_http_request *request)
{
    struct http_conn *conn = request->conn;
    bool more = conn->input.len > 0;
    if (!request->parse.keep_alive || request->close ||
        ((conn->eof || conn->server->draining) && !more))
        conn->last = true;
    if (conn->last && (more || conn->discard > 0))
        conn->linger = true;
}

/* --- the end of a request --------------------------------------------------------- */

void http_reply_tell(struct sh_http_request *request, int status, uint64_t bytes)
{
    sh_http_finished_fn *finished = request->finished;
    request->finished = NULL;
    if (finished)
        finished(request->finished_arg, request, status, bytes,
                 sh_now_us() - request->start_us);
}

static void finish(struct sh_http_request *request, int status, uint64_t bytes)
{
    struct http_conn *conn = request->conn;
    conn->request = NULL;
    http_reply_tell(request, status, bytes);
    http_request_return(request);
    http_conn_changed(conn);
}

/* An answer that cannot be completed must not look complete. */
static void cut(struct sh_http_request *request)
{
    struct http_conn *conn = request->conn;
    conn->broken = true;
    http_server_kick(conn);
    finish(request, request->status, request->sent);
}

static uint64_t write_answer(struct sh_http_request *request, int status,
                             const char *content_type, struct sh_bytes body)
{
    struct http_conn *conn = request->conn;
    struct sh_buffer *out = &conn->server->out;
    bool with_body = has_body(request, status);
    bool with_length = status >= 200 && status != 204 && status != 304;
    size_t joined = with_body && body.len <= JOIN_MAX ? body.len : 0;

    sh_buffer_clear(out);
    http_head_put(out, request, status, content_type,
                  with_length ? (int64_t)body.len : -1, joined);
    sh_buffer_append(out, body.data, joined);
    if (out->err != SH_OK || request->extra.err != SH_OK) {
        conn->broken = true;
        http_server_kick(conn);
        return 0;
    }
    struct sh_bytes parts[] = {sh_buffer_bytes(out), body};
    bool apart = with_body && joined < body.len;
    http_write(conn, parts, apart ? 2 : 1);
    return out->len + (apart ? body.len : 0);
}

void http_reply_now(struct sh_http_request *request, int status, const char *content_type,
                    struct sh_bytes body)
{
    pass_body(request);
    decide_end(request);
    uint64_t bytes = write_answer(request, status, content_type, body);
    finish(request, status, bytes);
}

void sh_http_respond(struct sh_http_request *request, int status,
                     const char *content_type, struct sh_bytes body)
{
    if (request->begun) {
        cut(request);
        return;
    }
    request->body_over = true; /* the handler reads no more */
    http_packing_answer(request, status, content_type, body);
}

/* --- streamed --------------------------------------------------------------------- */

/* length -1: it is not known */
static void begin(struct sh_http_request *request, int status, const char *content_type,
                  int64_t length)
{
    struct http_conn *conn = request->conn;
    struct sh_buffer *out = &conn->server->out;
    bool open_ended = has_body(request, status) && length < 0;
    request->begun = true;
    request->status = status;
    request->chunked = open_ended && !request->parse.http10;
    request->owed = has_body(request, status) && length > 0 ? (uint64_t)length : 0;
    request->sized = length >= 0;
    if (open_ended && request->parse.http10)
        conn->last = true; /* the end of the connection is the end of the body */
    decide_end(request);

    sh_buffer_clear(out);
    http_head_put(out, request, status, content_type, length, 0);
    struct sh_bytes head = sh_buffer_bytes(out);
    if (out->err != SH_OK || request->extra.err != SH_OK) {
        conn->broken = true;
        http_server_kick(conn);
        return;
    }
    request->sent = head.len;
    http_write(conn, &head, 1);
}

void sh_http_begin(struct sh_http_request *request, int status, const char *content_type)
{
    begin(request, status, content_type, -1);
}

void sh_http_begin_sized(struct sh_http_request *request, int status,
                         const char *content_type, uint64_t length)
{
    begin(request, status, content_type, length < INT64_MAX ? (int64_t)length : -1);
}

/* "1a2b\r\n" */
static size_t put_chunk_size(char out[static 20], size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 1;
    for (size_t rest = size; rest > 15; rest >>= 4)
        len++;
    for (size_t i = len; i > 0; i--, size >>= 4)
        out[i - 1] = digits[size & 15];
    out[len] = '\r';
    out[len + 1] = '\n';
    return len + 2;
}

bool sh_http_send(struct sh_http_request *request, struct sh_bytes piece)
{
    struct http_conn *conn = request->conn;
    if (!request->begun || conn->broken)
        return false;
    if (request->sized && piece.len > request->owed)
        piece.len =
            (size_t)request->owed; /* the rest would be taken for another answer */
    if (piece.len > 0 && has_body(request, request->status)) {
        char size[20];
        struct sh_bytes parts[] = {
            {size, put_chunk_size(size, piece.len)}, piece, {"\r\n", 2}};
        unsigned first = request->chunked ? 0 : 1;
        unsigned count = request->chunked ? 3 : 1;
        http_write(conn, parts + first, count);
        request->owed -= request->sized ? piece.len : 0;
        request->sent += piece.len + (request->chunked ? parts[0].len + 2 : 0);
    }
    if (http_write_queued(conn) <= conn->server->limits.write_buffer && !conn->broken)
        return true;
    request->want_drained = true;
    return false;
}

void sh_http_end(struct sh_http_request *request)
{
    static const struct sh_bytes last = {"0\r\n\r\n", 5};
    struct http_conn *conn = request->conn;
    if (request->owed > 0) {
        cut(request);
        return;
    }
    if (request->chunked) {
        http_write(conn, &last, 1);
        request->sent += last.len;
    }
    pass_body(request);
    if (!request->parse.keep_alive)
        conn->last = true; /* found in the body's trailers */
    finish(request, request->status, request->sent);
}

/* --- faults ----------------------------------------------------------------------- */

void http_reply_fault(struct http_conn *conn, enum http_fault fault)
{
    sh_series_add(conn->server->faults[fault], 1);
    if (!conn->request) {
        conn->request = http_request_lend(conn, (struct sh_bytes){0});
        if (!conn->request) {
            http_conn_close(conn, false);
            return;
        }
    }
    struct sh_http_request *request = conn->request;
    if (request->handed_over)
        http_request_abort(request);
    if (conn->closing) /* the handler's abort closed the server */
        return;
    if (!request->trace.request_id[0])
        sh_trace_start(&request->trace);
    give_up(conn);
    request->parse.complete = true; /* nobody looks for the next request */
    sh_http_fail(request, &(struct sh_problem){.status = http_fault_status(fault),
                                               .code = http_fault_code(fault),
                                               .error = http_fault_text(fault)});
}
