/* http_internal: what the files of the HTTP server share. A connection owns its socket
 * and the bytes not yet parsed; a request exists from the end of its head to its answer
 * and is lent from the server's stock, so that idle connections stay small. All input
 * goes through http_conn_process(), which never runs inside itself: handlers may answer,
 * read, pause or close at any time, and what that makes possible happens when they have
 * returned. Loop thread only. */
#ifndef SHARED_HTTP_INTERNAL_H
#define SHARED_HTTP_INTERNAL_H

#include <netinet/in.h>

#include "http_list.h"
#include "http_packing.h"
#include "http_parse.h"
#include "http_tls.h"
#include "shared/buffer.h"
#include "shared/http_server.h"
#include "shared/metrics.h"

/* --- the server ------------------------------------------------------------------- */

/* What a connection waits for. Each has one time limit, so that a list in order of
 * arrival is in order of deadlines: one timer looks at the first of each. */
enum http_wait {
    HTTP_WAIT_NONE, /* for the handler */
    HTTP_WAIT_IDLE,
    HTTP_WAIT_HANDSHAKE,
    HTTP_WAIT_HEAD,
    HTTP_WAIT_BODY,
    HTTP_WAIT_WRITE,
    HTTP_WAIT_LINGER,
    HTTP_WAIT_COUNT
};

struct sh_http_server {
    uv_loop_t *loop;
    uv_poll_t listener;
    uv_timer_t timer;
    uv_idle_t kicker;
    int fd;       /* the listener's; -1 once closed */
    int spare_fd; /* given up to accept and drop when descriptors run out */
    uint16_t port;
    unsigned handles; /* not closed yet, this one's own; and work under way */
    bool draining;
    bool closing;
    bool ticking;
    struct sh_http_limits limits;
    struct http_bounds bounds;
    struct sh_http_fixed fixed;
    struct http_tls_shared tls;
    struct http_packing packing;
    sh_http_handler_fn *handler;
    const struct sh_stream_protocol *protocol; /* NULL: HTTP */
    void *arg;
    bool (*admit)(void *arg, const char *peer);
    void (*left)(void *arg, const char *peer);
    void *admit_arg;
    void (*drained)(void *arg);
    void *drained_arg;
    size_t connections;
    size_t refused; /* of them: over a limit, being told so */
    struct http_link conns;
    struct http_link kicked;
    struct http_link waits[HTTP_WAIT_COUNT];
    uint64_t timeouts_ms[HTTP_WAIT_COUNT];
    struct sh_http_request *stock; /* to lend again */
    size_t stocked;
    struct sh_buffer out;     /* an answer under construction */
    struct sh_buffer problem; /* the body of one that says what is wrong */
    char date[40];            /* the header line, for `date_s` */
    size_t date_len;
    int64_t date_s;
    struct sh_series *open;
    struct sh_series *in_flight;
    struct sh_series *faults[HTTP_FAULT_COUNT];
    char scratch[65536]; /* every read lands here first */
};

/* Process the connection on the next turn of the loop. */
struct http_conn;
void http_server_kick(struct http_conn *conn);
/* Something of the server's is still under way, or is over. */
void http_server_hold(struct sh_http_server *server);
void http_server_release(struct sh_http_server *server);
/* A connection's handle is closed and its memory about to go. */
void http_server_gone(struct http_conn *conn);

/* http_deadline: the lists of waiting connections */
void http_deadline_init(struct sh_http_server *server);
void http_deadline_set(struct http_conn *conn, enum http_wait wait);
/* The wait began again: something arrived, or left. */
void http_deadline_touch(struct http_conn *conn);
void http_deadline_sweep(struct sh_http_server *server);

/* http_listen: a listening socket; -1 with *err set. */
int http_listen(const struct sh_http_server_options *options, enum sh_err *err,
                uint16_t *port);

/* --- a connection ----------------------------------------------------------------- */

/* Where another protocol is spoken. */
struct sh_stream {
    void *state; /* the protocol's; NULL: not there, or closed */
    enum sh_stream_phase phase;
};

struct http_conn {
    uv_tcp_t tcp;
    struct sh_http_server *server;
    struct http_link all;
    struct http_link kicked;
    struct http_link waiting;
    enum http_wait wait;
    uint64_t since_ms;
    size_t came;          /* bytes of a body since then */
    uint64_t opened_ms;   /* when lingering began, then */
    struct http_tls *tls; /* NULL: plain */
    struct sh_http_request *request;
    struct sh_stream stream;
    struct http_scan scan;
    struct sh_buffer pending; /* read, not parsed */
    struct sh_bytes input;    /* not parsed: in `pending`, or in the scratch buffer */
    uint64_t discard;         /* of an answered request's body */
    uint64_t written;         /* bytes ever written, as they go over the wire */
    uint64_t taken;           /* of them by the client, when last marked */
    bool input_is_scratch;
    bool processing;
    bool reading;
    bool eof;       /* the client sends no more, but may still read */
    bool last;      /* close after what has been answered */
    bool linger;    /* but let the client read that first */
    bool lingering; /* shut down for writing; input is thrown away */
    bool broken;    /* a write failed */
    bool refused;
    bool admitted; /* `left` is owed */
    bool closing;
    char peer[INET6_ADDRSTRLEN];
};

/* Takes over `fd`, which is closed when this fails. `refuse` other than HTTP_FINE: answer
 * with that. Errors: SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err http_conn_open(struct sh_http_server *server, int fd,
                                    const char *peer, enum http_fault refuse);
/* "192.0.2.1", "2001:db8::1"; of an IPv4 client of an IPv6 socket, too. */
void http_conn_peer(const struct sockaddr_storage *from, char out[INET6_ADDRSTRLEN]);
void http_conn_process(struct http_conn *conn);
/* The request was answered, or reading was asked for or stopped, maybe outside
 * http_conn_process(): catch up. */
void http_conn_changed(struct http_conn *conn);
void http_conn_used(struct http_conn *conn, size_t len);
/* At once; a request under way is aborted. Memory goes on a later turn. */
void http_conn_close(struct http_conn *conn, bool reset);
/* A deadline passed. */
void http_conn_expired(struct http_conn *conn);

/* http_stream: a connection of another protocol. False: it is not wanted. */
bool http_stream_open(struct http_conn *conn);
void http_stream_close(struct http_conn *conn);
/* One thing that can be done now; false when there is none. */
bool http_stream_step(struct http_conn *conn);
enum http_wait http_stream_wait(const struct http_conn *conn);

/* http_read: read from the socket, or stop, as what is under way wants it. */
void http_read_choose(struct http_conn *conn);

/* http_write: bytes out. What the socket does not take at once is copied and queued. */
enum { HTTP_WRITE_PARTS_MAX = 4 };
void http_write(struct http_conn *conn, const struct sh_bytes *parts, unsigned count);
/* The same without TLS: what goes over the wire. */
void http_write_raw(struct http_conn *conn, const struct sh_bytes *parts, unsigned count);
/* The connection cannot be written to any more. */
void http_write_fail(struct http_conn *conn);
/* Note in conn->taken how much the client has received. */
void http_write_mark(struct http_conn *conn);
size_t http_write_queued(const struct http_conn *conn);

/* --- a request -------------------------------------------------------------------- */

enum http_body_mode { HTTP_BODY_UNASKED, HTTP_BODY_ALL, HTTP_BODY_STREAM };

struct sh_http_request {
    struct http_conn *conn;
    struct sh_http_request *next; /* in stock */
    struct http_parse parse;
    struct sh_buffer head;
    struct sh_buffer body;
    struct sh_buffer extra; /* header lines added by the handler */
    struct sh_trace trace;
    struct http_packing_job *packing; /* its answer is being packed; or NULL */
    uint64_t start_us;
    uint64_t sent; /* bytes of a streamed answer */
    enum http_body_mode body_mode;
    uint64_t body_max;
    sh_http_body_fn *body_fn;
    void *body_arg;
    void (*abort)(void *arg);
    void *abort_arg;
    void (*drained)(void *arg);
    void *drained_arg;
    sh_http_finished_fn *finished;
    void *finished_arg;
    sh_http_problem_fn *write_problem; /* NULL: problem+json */
    int status;
    bool handed_over; /* the handler has seen it */
    bool paused;
    bool body_over; /* no more calls of body_fn */
    bool begun;
    bool chunked;      /* the streamed answer */
    bool sized;        /* its length was declared */
    uint64_t owed;     /* what is left of that */
    bool close;        /* the handler asked for Connection: close */
    bool secure;       /* the client speaks TLS */
    bool unpacked;     /* the answer is not to be packed */
    bool own_policy;   /* the handler added a Content-Security-Policy */
    bool want_drained; /* sh_http_send() said stop */
    size_t room;       /* for so many of the head */
    struct http_header headers[];
};

/* NULL when out of memory. */
struct sh_http_request *http_request_lend(struct http_conn *conn, struct sh_bytes head);
void http_request_return(struct sh_http_request *request);
/* Parse and hand over to the handler. */
void http_request_start(struct sh_http_request *request);
/* The client is gone, or misbehaved: the handler learns it; the request stays. */
void http_request_abort(struct sh_http_request *request);
/* Deliver what there is of the body; false when nothing can be done now. */
bool http_request_read(struct sh_http_request *request);
/* True while more of the body is wanted from the client. */
bool http_request_wants_body(const struct sh_http_request *request);

/* Who wants to know that the request was answered is told, once. */
void http_reply_tell(struct sh_http_request *request, int status, uint64_t bytes);
/* The answer as it stands, at once; the request is gone. */
void http_reply_now(struct sh_http_request *request, int status, const char *content_type,
                    struct sh_bytes body);
/* http_reply. Answers a fault instead of the handler (which is aborted if it has seen the
 * request, and the connection cut if the answer has begun). */
void http_reply_fault(struct http_conn *conn, enum http_fault fault);

/* http_head: the head of an answer. length -1: chunked or until close */
void http_head_put(struct sh_buffer *out, struct sh_http_request *request, int status,
                   const char *content_type, int64_t length, size_t room);

#endif
