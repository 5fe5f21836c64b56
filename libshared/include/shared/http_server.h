/* http_server: HTTP/1.1 on libuv and llhttp. One server per loop; several may share a
 * port. Every request that reaches the handler is answered exactly once, by one of the
 * respond calls; what is wrong with the bytes before that (bad syntax, smuggling, too
 * large, too slow) is answered here, as problem+json like any other error. One request of
 * a connection is handled at a time; pipelined ones wait in a bounded buffer. Loop thread
 * only.
 *
 * Every response bears X-Request-ID and X-Response-Time; the request's trace comes from
 * its traceparent and X-Request-ID where those are sane. */
#ifndef SHARED_HTTP_SERVER_H
#define SHARED_HTTP_SERVER_H

#include <uv.h>

#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/stream.h"
#include "shared/tls.h"
#include "shared/trace.h"

struct sh_http_server;
struct sh_http_request;

struct sh_http_limits {        /* 0 takes the default in brackets */
    size_t head_bytes;         /* request line and headers [16 KiB] → 431, 414 */
    size_t headers;            /* how many [64] → 431 */
    size_t connections;        /* per server [10,000]; more are answered 503 and closed */
    uint64_t head_timeout_ms;  /* first byte to end of headers [10 s] → 408 */
    uint64_t body_timeout_ms;  /* between two reads of a body [20 s] → 408 */
    uint64_t idle_timeout_ms;  /* kept alive without a request [75 s] → closed */
    uint64_t write_timeout_ms; /* a reader that takes nothing [20 s] → closed */
    uint64_t handshake_timeout_ms; /* of TLS [10 s] → closed */
    size_t handshakes;             /* of TLS, at the same time [1,000]; more are closed */
    size_t write_buffer;           /* what a slow reader may leave queued [1 MiB]; then
                                      sh_http_send() says stop */
    size_t progress_bytes; /* of a body, or an answer, within its timeout [512]: less is
                              as good as nothing, so that nobody trickles for ever */
};

/* Header lines, each ending in CR LF, that go with every answer, those to what could not
 * be parsed included. Made once; borrowed while the server lives. */
struct sh_http_fixed {
    struct sh_bytes always;
    struct sh_bytes policy; /* Content-Security-Policy, unless the handler adds its own */
    struct sh_bytes secure; /* only where sh_http_is_secure() */
};

/* Called when the headers are complete; the body, if any, has not been read. */
typedef void sh_http_handler_fn(void *arg, struct sh_http_request *request);

struct sh_http_server_options {
    const char *host; /* numeric, v4 or v6 */
    uint16_t port;    /* 0: a free one */
    bool share_port;  /* SO_REUSEPORT: one server per loop on the same port */
    struct sh_http_limits limits;
    struct sh_http_fixed fixed;
    struct sh_tls *tls; /* NULL: plain HTTP; the caller's */
    /* Text of at least so many bytes is packed (gzip, zstd) for clients that ask for it;
     * 0: never. Streamed answers are not. */
    size_t pack_least;
    sh_http_handler_fn *handler;
    /* Spoken instead of HTTP, with `arg` for opened(); the handler is not used then. */
    const struct sh_stream_protocol *protocol;
    void *arg;
    /* Asked for each connection before anything is read of it: false answers 503 and
     * closes. `left` is called once for each that was let in, when it closes, and not
     * after sh_http_server_close(). `peer` is what sh_http_peer() says. Both or neither;
     * NULL: everybody is let in. */
    bool (*admit)(void *arg, const char *peer);
    void (*left)(void *arg, const char *peer);
    void *admit_arg;
    const char *metrics_label; /* "public", "ops": label of cairn_http_* series */
};

/* Errors: SH_INVALID (address), SH_IO (cannot bind; the reason is logged), SH_NOMEM. */
SH_CHECK enum sh_err sh_http_server_create(uv_loop_t *loop,
                                           const struct sh_http_server_options *options,
                                           struct sh_http_server **out);
uint16_t sh_http_server_port(const struct sh_http_server *server);
size_t sh_http_server_connections(const struct sh_http_server *server);
/* Accept what the kernel already queued, then no more; answers carry Connection: close,
 * idle connections end; `done` when none is left. */
void sh_http_server_drain(struct sh_http_server *server, void (*done)(void *arg),
                          void *arg);
/* Ends every connection at once; handlers see their abort. *server becomes NULL. */
void sh_http_server_close(struct sh_http_server **server);

/* --- reading; views are valid until the request is answered ----------------------- */

struct sh_bytes sh_http_method(const struct sh_http_request *request); /* "GET" */
struct sh_bytes sh_http_path(const struct sh_http_request *request);   /* raw, no query */
struct sh_bytes sh_http_query(const struct sh_http_request *request); /* raw, after '?' */
/* Empty view (data NULL) when there is none. Name in any case. */
struct sh_bytes sh_http_header(const struct sh_http_request *request, const char *name);
/* The nth line of that name, from 0; an empty view after the last. */
struct sh_bytes sh_http_header_at(const struct sh_http_request *request, const char *name,
                                  size_t nth);
/* Percent-decoded value of a query parameter, NUL-terminated in `out`. SH_NOTFOUND when
 * absent, SH_TOOBIG, SH_MALFORMED (bad escape, NUL, not UTF-8). */
SH_CHECK enum sh_err sh_http_param(const struct sh_http_request *request,
                                   const char *name, char *out, size_t size);
/* The same decoding for one path segment. */
SH_CHECK enum sh_err sh_http_decode(struct sh_bytes text, char *out, size_t size);
const char *sh_http_peer(const struct sh_http_request *request); /* numeric address */
const struct sh_trace *sh_http_trace(const struct sh_http_request *request);
/* The client speaks TLS: to this server, or, if the handler has said so, to a proxy that
 * it trusts. */
bool sh_http_is_secure(const struct sh_http_request *request);
void sh_http_set_secure(struct sh_http_request *request);
/* Declared length, or -1 when chunked. */
int64_t sh_http_content_length(const struct sh_http_request *request);

/* Whole body, at most `max` bytes, then `done` once: SH_OK with the body, valid until the
 * request is answered; SH_TOOBIG (the caller answers 413); SH_NOMEM. Never from inside
 * this call. When the client goes away, stalls or sends a bad body, `done` is not called
 * but the abort callback is (and the client has its 408 or 400). */
typedef void sh_http_body_fn(void *arg, struct sh_http_request *request, enum sh_err err,
                             struct sh_bytes body);
void sh_http_read_all(struct sh_http_request *request, size_t max, sh_http_body_fn *done,
                      void *arg);
/* Piece by piece, each valid until the callback returns; an empty piece with SH_OK is the
 * end. After SH_TOOBIG (over `max` in all) nothing more comes. */
void sh_http_read_stream(struct sh_http_request *request, uint64_t max,
                         sh_http_body_fn *piece, void *arg);
/* Stop and start the pieces and reading from the socket: back-pressure to the sender. */
void sh_http_pause(struct sh_http_request *request);
void sh_http_resume(struct sh_http_request *request);

/* The client went away, or the server closes, before the answer was complete: called
 * once, then the request is gone and must not be touched. Not called after the answer. */
void sh_http_on_abort(struct sh_http_request *request, void (*abort)(void *arg),
                      void *arg);

/* --- answering -------------------------------------------------------------------- */

/* Before responding: a further header. Values with control characters are dropped and
 * logged. */
void sh_http_add_header(struct sh_http_request *request, const char *name,
                        const char *value);
/* The same for whole header lines, each with its CRLF, that the program has made of
 * nothing but its own text and numbers, and that sh_http_add_header() would not look at:
 * they are taken as they are. */
void sh_http_add_lines(struct sh_http_request *request, struct sh_bytes lines);
/* Before responding: this answer holds a secret beside what a client chose, and is not
 * packed: its length would tell of the secret (BREACH). One that sets a cookie never is.
 * An ETag that is added afterwards stays a strong one.
 */
void sh_http_leave_unpacked(struct sh_http_request *request);
/* The whole answer; the body is copied. HEAD gets the headers only. The request is gone
 * when this returns. */
void sh_http_respond(struct sh_http_request *request, int status,
                     const char *content_type, struct sh_bytes body);
/* An error as API.md shapes it: application/problem+json. `code` NULL takes err's code,
 * `field` NULL leaves it out; retry_after_s > 0 adds Retry-After (503 and 429 always have
 * one). The request is gone when this returns. */
struct sh_problem {
    int status;
    const char *code;
    const char *field;
    const char *error; /* one sentence for people */
    unsigned retry_after_s;
};
void sh_http_fail(struct sh_http_request *request, const struct sh_problem *problem);
/* For this request an error is written otherwise, as application/json: also those that
 * the server finds in its body, and those after the handler. `problem` has its code, and
 * texts that are UTF-8; append to `out`. */
typedef void sh_http_problem_fn(const struct sh_problem *problem, struct sh_buffer *out);
void sh_http_problem_as(struct sh_http_request *request, sh_http_problem_fn *write);
/* The same from an error; text and code from its table. */
void sh_http_fail_err(struct sh_http_request *request, enum sh_err err,
                      const char *error);

/* A streamed answer, chunked: begin, send…, end. Responding or failing after begin cuts
 * the connection, so that the client sees that the answer is not whole. */
void sh_http_begin(struct sh_http_request *request, int status, const char *content_type);
/* The same of exactly `length` bytes, as Content-Length: what is more is not sent, and
 * when less was sent the connection is cut. */
void sh_http_begin_sized(struct sh_http_request *request, int status,
                         const char *content_type, uint64_t length);
/* False: the reader is slow; send no more until `drained` is called (set it before).
 * Copied; empty does nothing. */
bool sh_http_send(struct sh_http_request *request, struct sh_bytes piece);
void sh_http_on_drained(struct sh_http_request *request, void (*drained)(void *arg),
                        void *arg);
/* The request is gone when this returns. */
void sh_http_end(struct sh_http_request *request);

/* After responding it is gone; this must be asked before. Status counted in metrics. */
const char *sh_http_status_text(int status);

/* Called once for each answer, before the call that answered returns, for the access log
 * and metrics. `bytes` went to the socket, or will before they are packed. */
typedef void sh_http_finished_fn(void *arg, struct sh_http_request *request, int status,
                                 uint64_t bytes, uint64_t duration_us);
void sh_http_on_finished(struct sh_http_request *request, sh_http_finished_fn *fn,
                         void *arg);

#endif
