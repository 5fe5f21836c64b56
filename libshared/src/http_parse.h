/* http_parse: the bytes of one request, without sockets: finding the end of the head,
 * refusing what smuggles, and taking the body apart. llhttp parses; what it lets pass and
 * a proxy in front might read otherwise is refused here first. Nothing allocates, nothing
 * calls out: the caller pulls. Any thread. */
#ifndef SHARED_HTTP_PARSE_H
#define SHARED_HTTP_PARSE_H

#include <llhttp.h>

#include "shared/bytes.h"

/* What a client can do wrong before (or while) a handler sees its request.
 * X(name, status, reason label of metrics, code, sentence) */
/* clang-format off */
#define HTTP_FAULTS(X)                                                                   \
    X(HTTP_FINE, 200, "", "", "")                                                        \
    X(HTTP_BAD_SYNTAX, 400, "syntax", "malformed",                                       \
      "the request is not valid HTTP/1.1")                                               \
    X(HTTP_BAD_LINE_END, 400, "line_end", "malformed",                                   \
      "a line of the request's head does not end in CR LF")                              \
    X(HTTP_BAD_HEADER, 400, "header", "malformed",                                       \
      "a header line is not valid")                                                      \
    X(HTTP_BAD_HOST, 400, "host", "malformed",                                           \
      "there must be exactly one valid Host header")                                     \
    X(HTTP_BAD_TARGET, 400, "target", "malformed",                                       \
      "the request target is not valid")                                                 \
    X(HTTP_BAD_FRAMING, 400, "framing", "malformed",                                     \
      "Content-Length or Transfer-Encoding is not valid")                                \
    X(HTTP_BAD_BODY, 400, "body", "malformed",                                           \
      "the chunked body is not valid")                                                   \
    X(HTTP_CUT_OFF, 400, "cut_off", "malformed",                                         \
      "the request ended before it was complete")                                        \
    X(HTTP_HEAD_TIMEOUT, 408, "head_timeout", "request_timeout",                         \
      "the request's headers took too long to arrive")                                   \
    X(HTTP_BODY_TIMEOUT, 408, "body_timeout", "request_timeout",                         \
      "the request's body took too long to arrive")                                      \
    X(HTTP_LONG_TARGET, 414, "target_too_long", "uri_too_long",                          \
      "the request line is too long")                                                    \
    X(HTTP_BAD_EXPECT, 417, "expect", "expectation_failed",                              \
      "the only expectation that can be met is 100-continue")                            \
    X(HTTP_LARGE_HEAD, 431, "head_too_large", "headers_too_large",                       \
      "the request's headers are too large or too many")                                 \
    X(HTTP_NO_METHOD, 501, "method", "not_implemented",                                  \
      "this server is no proxy")                                                         \
    X(HTTP_BUSY, 503, "connections", "overloaded",                                       \
      "too many connections, try later")                                                 \
    X(HTTP_CROWDED, 503, "address_connections", "too_many_connections",                  \
      "too many connections from one address")                                           \
    X(HTTP_BAD_VERSION, 505, "version", "http_version",                                  \
      "only HTTP/1.0 and HTTP/1.1 are spoken")
/* clang-format on */

#define HTTP_FAULT_ENUM(name, status, reason, code, text) name,
enum http_fault { HTTP_FAULTS(HTTP_FAULT_ENUM) HTTP_FAULT_COUNT };
#undef HTTP_FAULT_ENUM

struct http_bounds {
    size_t head_bytes;
    size_t headers;
};

/* How far the head has been looked at; {0} at the start of each request. */
struct http_scan {
    size_t skip;  /* empty lines before the request line */
    size_t line;  /* where the current line starts */
    size_t at;    /* everything before was looked at */
    size_t lines; /* complete ones */
};

/* `input` starts with the request's first byte and may have grown since the last call.
 * *end is the length of the head with its empty line, 0 while that has not arrived. */
enum http_fault http_scan_head(struct http_scan *scan, const struct http_bounds *bounds,
                               struct sh_bytes input, size_t *end);

struct http_header {
    struct sh_bytes name;
    struct sh_bytes value; /* without white space around it */
};

struct http_parse {
    llhttp_t llhttp;
    struct http_header *headers; /* the caller's, room for bounds.headers */
    size_t headers_max;
    size_t header_count;
    struct sh_bytes method;
    struct sh_bytes target;
    struct sh_bytes path;
    struct sh_bytes query;
    uint64_t content_length;
    uint64_t body_seen;
    size_t overhead; /* bytes of chunk lines and trailers since the last piece */
    struct sh_bytes piece;
    enum http_fault fault;
    bool in_body;
    bool complete;
    bool chunked;
    bool http10;
    bool is_head;
    bool keep_alive;
    bool expects_continue;
};

/* Parse a head that http_scan_head() found (without what it skipped). Views point into
 * `head`, which must stay. self->headers and headers_max are set by the caller. */
enum http_fault http_parse_head(struct http_parse *self, struct sh_bytes head);

enum http_piece { HTTP_PIECE, HTTP_MORE, HTTP_END, HTTP_WRONG };

/* The next piece of the body; *used bytes of the input are done with, whatever it
 * returns. HTTP_PIECE: `piece` (not empty) points into `input`; HTTP_MORE: all was used;
 * HTTP_END: complete, now and from here on; HTTP_WRONG: self->fault says why. */
enum http_piece http_parse_body(struct http_parse *self, struct sh_bytes input,
                                size_t *used, struct sh_bytes *piece);

/* A field of the parsed head, name in any case; data NULL when there is none. */
struct sh_bytes http_parse_header(const struct http_parse *self, const char *name);
struct sh_bytes http_parse_header_at(const struct http_parse *self, const char *name,
                                     size_t nth);

int http_fault_status(enum http_fault fault);
const char *http_fault_reason(enum http_fault fault);
const char *http_fault_code(enum http_fault fault);
const char *http_fault_text(enum http_fault fault);

/* A token of RFC 9110: what names and methods are made of. */
bool http_is_token(struct sh_bytes text);
/* No control characters but TAB. */
bool http_is_value(struct sh_bytes text);

#endif
