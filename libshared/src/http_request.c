/* http_request: from a complete head to the handler, and the handler's way to the body.
 */
#include "http_internal.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum {
    STOCK_MAX = 256,
    KEEP_BYTES = 8192,  /* a larger buffer is not kept for the next request */
    HEADERS_USUAL = 20, /* nor is a request with room for more */
};

/* --- lending ---------------------------------------------------------------------- */

/* With room for the lines that the scan counted: who waits in a crowd should be small. */
static struct sh_http_request *from_stock(struct sh_http_server *server, size_t lines)
{
    struct sh_http_request *request = server->stock;
    size_t room = lines < HEADERS_USUAL ? HEADERS_USUAL : lines;
    if (request && room == HEADERS_USUAL) {
        server->stock = request->next;
        server->stocked--;
        return request;
    }
    request = sh_alloc(sizeof(*request) + room * sizeof(request->headers[0]));
    if (request)
        request->room = room;
    return request;
}

struct sh_http_request *http_request_lend(struct http_conn *conn, struct sh_bytes head)
{
    struct sh_http_request *request = from_stock(conn->server, conn->scan.lines);
    if (!request)
        return NULL;
    *request = (struct sh_http_request){
        .conn = conn,
        .secure = conn->tls != NULL,
        .head = request->head,
        .body = request->body,
        .extra = request->extra,
        .room = request->room,
        .start_us = sh_now_us(),
    };
    request->parse.headers = request->headers;
    request->parse.headers_max = request->room;
    sh_buffer_append(&request->head, head.data, head.len);
    if (request->head.err == SH_OK)
        return request;
    http_request_return(request);
    return NULL;
}

static void tidy(struct sh_buffer *buffer)
{
    if (buffer->capacity > KEEP_BYTES)
        sh_buffer_free(buffer);
    else
        sh_buffer_clear(buffer);
}

static void tell_end(struct sh_http_request *request)
{
    if (request->handed_over)
        sh_series_add(request->conn->server->in_flight, -1);
    request->handed_over = false;
}

void http_request_return(struct sh_http_request *request)
{
    struct sh_http_server *server = request->conn->server;
    tell_end(request);
    http_packing_forget(request);
    tidy(&request->head);
    tidy(&request->body);
    tidy(&request->extra);
    if (server->stocked < STOCK_MAX && request->room == HEADERS_USUAL) {
        request->next = server->stock;
        server->stock = request;
        server->stocked++;
        return;
    }
    sh_buffer_free(&request->head);
    sh_buffer_free(&request->body);
    sh_buffer_free(&request->extra);
    sh_free(request);
}

/* --- to the handler --------------------------------------------------------------- */

static void start_trace(struct sh_http_request *request)
{
    struct sh_bytes parent = http_parse_header(&request->parse, "traceparent");
    struct sh_bytes id = http_parse_header(&request->parse, "x-request-id");
    sh_trace_start(&request->trace);
    if (parent.data && sh_trace_parse(&request->trace, parent))
        request->trace = sh_trace_child(&request->trace);
    if (id.data)
        (void)sh_trace_set_request_id(&request->trace, id); /* else the one made */
}

void http_request_start(struct sh_http_request *request)
{
    struct sh_http_server *server = request->conn->server;
    enum http_fault fault =
        http_parse_head(&request->parse, sh_buffer_bytes(&request->head));
    if (fault != HTTP_FINE) {
        http_reply_fault(request->conn, fault);
        return;
    }
    start_trace(request);
    request->handed_over = true;
    sh_series_add(server->in_flight, 1);
    server->handler(server->arg, request);
}

void http_request_abort(struct sh_http_request *request)
{
    void (*abort)(void *arg) = request->abort;
    request->abort = NULL;
    request->finished = NULL;
    request->body_over = true;
    request->want_drained = false;
    tell_end(request);
    if (abort)
        abort(request->abort_arg);
}

/* --- the body --------------------------------------------------------------------- */

static bool is_asked(const struct sh_http_request *request)
{
    return request->body_mode != HTTP_BODY_UNASKED && !request->body_over &&
           !request->paused;
}

bool http_request_wants_body(const struct sh_http_request *request)
{
    return is_asked(request) && !request->parse.complete;
}

static void end_body(struct sh_http_request *request, enum sh_err err,
                     struct sh_bytes body)
{
    request->body_over = true;
    request->body_fn(request->body_arg, request, err, body);
}

static bool is_declared_too_big(const struct sh_http_request *request)
{
    return !request->parse.chunked && request->parse.content_length > request->body_max;
}

static void take_piece(struct sh_http_request *request, struct sh_bytes piece)
{
    if (request->parse.body_seen > request->body_max) {
        end_body(request, SH_TOOBIG, (struct sh_bytes){0});
        return;
    }
    if (request->body_mode == HTTP_BODY_STREAM) {
        request->body_fn(request->body_arg, request, SH_OK, piece);
        return;
    }
    sh_buffer_append(&request->body, piece.data, piece.len);
    if (request->body.err != SH_OK)
        end_body(request, request->body.err, (struct sh_bytes){0});
}

bool http_request_read(struct sh_http_request *request)
{
    struct http_conn *conn = request->conn;
    struct sh_bytes piece = {0};
    size_t used;

    if (!is_asked(request))
        return false;
    if (is_declared_too_big(request)) {
        end_body(request, SH_TOOBIG, piece);
        return true;
    }
    enum http_piece kind = http_parse_body(&request->parse, conn->input, &used, &piece);
    http_conn_used(conn, used);
    switch (kind) {
    case HTTP_PIECE:
        take_piece(request, piece);
        return true;
    case HTTP_END:
        end_body(request, SH_OK, sh_buffer_bytes(&request->body));
        return true;
    case HTTP_WRONG:
        http_reply_fault(conn, request->parse.fault);
        return false;
    case HTTP_MORE:
    default:
        if (conn->eof)
            http_reply_fault(conn, HTTP_CUT_OFF);
        return false;
    }
}

/* The client waits for this before it sends a body; if some has come, it did not wait. */
static void tell_continue(struct sh_http_request *request)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct http_parse *parse = &request->parse;
    if (!parse->expects_continue || parse->complete || request->begun)
        return;
    parse->expects_continue = false;
    if (request->conn->input.len > 0 || parse->body_seen > 0)
        return;
    struct sh_bytes part = {line, sizeof(line) - 1};
    http_write(request->conn, &part, 1);
}

static void ask(struct sh_http_request *request, enum http_body_mode mode, uint64_t max)
{
    request->body_mode = mode;
    request->body_max = max;
    if (!is_declared_too_big(request))
        tell_continue(request);
    http_conn_changed(request->conn);
}

void sh_http_read_all(struct sh_http_request *request, size_t max, sh_http_body_fn *done,
                      void *arg)
{
    request->body_fn = done;
    request->body_arg = arg;
    ask(request, HTTP_BODY_ALL, max);
}

void sh_http_read_stream(struct sh_http_request *request, uint64_t max,
                         sh_http_body_fn *piece, void *arg)
{
    request->body_fn = piece;
    request->body_arg = arg;
    ask(request, HTTP_BODY_STREAM, max);
}

void sh_http_pause(struct sh_http_request *request)
{
    request->paused = true;
    http_conn_changed(request->conn);
}

void sh_http_resume(struct sh_http_request *request)
{
    request->paused = false;
    http_conn_changed(request->conn);
}

/* --- what the handler can ask ----------------------------------------------------- */

struct sh_bytes sh_http_method(const struct sh_http_request *request)
{
    return request->parse.method;
}

struct sh_bytes sh_http_path(const struct sh_http_request *request)
{
    return request->parse.path;
}

struct sh_bytes sh_http_query(const struct sh_http_request *request)
{
    return request->parse.query;
}

struct sh_bytes sh_http_header(const struct sh_http_request *request, const char *name)
{
    return http_parse_header(&request->parse, name);
}

struct sh_bytes sh_http_header_at(const struct sh_http_request *request, const char *name,
                                  size_t nth)
{
    return http_parse_header_at(&request->parse, name, nth);
}

const char *sh_http_peer(const struct sh_http_request *request)
{
    return request->conn->peer;
}

const struct sh_trace *sh_http_trace(const struct sh_http_request *request)
{
    return &request->trace;
}

bool sh_http_is_secure(const struct sh_http_request *request)
{
    return request->secure;
}

void sh_http_leave_unpacked(struct sh_http_request *request)
{
    request->unpacked = true;
}

void sh_http_set_secure(struct sh_http_request *request)
{
    request->secure = true;
}

int64_t sh_http_content_length(const struct sh_http_request *request)
{
    const struct http_parse *parse = &request->parse;
    if (parse->chunked)
        return -1;
    return parse->content_length > INT64_MAX ? INT64_MAX : (int64_t)parse->content_length;
}

void sh_http_on_abort(struct sh_http_request *request, void (*abort)(void *arg),
                      void *arg)
{
    request->abort = abort;
    request->abort_arg = arg;
}

void sh_http_on_drained(struct sh_http_request *request, void (*drained)(void *arg),
                        void *arg)
{
    request->drained = drained;
    request->drained_arg = arg;
}

void sh_http_on_finished(struct sh_http_request *request, sh_http_finished_fn *fn,
                         void *arg)
{
    request->finished = fn;
    request->finished_arg = arg;
}
