/* http_head: the head of an answer, without printf: it is made for every request. */
#include <strings.h>
#include <time.h>

#include "http_internal.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { HEAD_FIXED_MAX = 512 }; /* all but content type and added headers */

/* clang-format off */
#define STATUSES(X)                                                                      \
    X(100, "Continue") X(101, "Switching Protocols") X(200, "OK") X(201, "Created")      \
    X(202, "Accepted") X(203, "Non-Authoritative Information") X(204, "No Content")      \
    X(205, "Reset Content") X(206, "Partial Content") X(300, "Multiple Choices")         \
    X(301, "Moved Permanently") X(302, "Found") X(303, "See Other")                      \
    X(304, "Not Modified") X(307, "Temporary Redirect") X(308, "Permanent Redirect")     \
    X(400, "Bad Request") X(401, "Unauthorized") X(402, "Payment Required")              \
    X(403, "Forbidden") X(404, "Not Found") X(405, "Method Not Allowed")                 \
    X(406, "Not Acceptable") X(407, "Proxy Authentication Required")                     \
    X(408, "Request Timeout") X(409, "Conflict") X(410, "Gone")                          \
    X(411, "Length Required") X(412, "Precondition Failed")                              \
    X(413, "Content Too Large") X(414, "URI Too Long")                                   \
    X(415, "Unsupported Media Type") X(416, "Range Not Satisfiable")                     \
    X(417, "Expectation Failed") X(421, "Misdirected Request")                           \
    X(422, "Unprocessable Content") X(423, "Locked") X(424, "Failed Dependency")         \
    X(425, "Too Early") X(426, "Upgrade Required") X(428, "Precondition Required")       \
    X(429, "Too Many Requests") X(431, "Request Header Fields Too Large")                \
    X(451, "Unavailable For Legal Reasons") X(500, "Internal Server Error")              \
    X(501, "Not Implemented") X(502, "Bad Gateway") X(503, "Service Unavailable")        \
    X(504, "Gateway Timeout") X(505, "HTTP Version Not Supported")                       \
    X(507, "Insufficient Storage")
/* clang-format on */

const char *sh_http_status_text(int status)
{
#define STATUS_CASE(number, text)                                                        \
    case number:                                                                         \
        return text;
    switch (status) {
        STATUSES(STATUS_CASE)
    default:
        return "Unknown";
    }
#undef STATUS_CASE
}

static char *put(char *at, const void *data, size_t len)
{
    if (len > 0)
        memcpy(at, data, len);
    return at + len;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *put_number(char *at, uint64_t number, unsigned digits_min)
{
    char digits[20];
    size_t n = sizeof(digits);
    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || sizeof(digits) - n < digits_min);
    return put(at, digits + n, sizeof(digits) - n);
}

/* Once a second. strftime() would follow the locale. */
static void renew_date(struct sh_http_server *server, time_t now)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t;
    gmtime_r(&now, &t);
    char *at = PUT(server->date, "Date: ");
    at = put(at, days + (ptrdiff_t)t.tm_wday * 3, 3);
    at = PUT(at, ", ");
    at = put_number(at, (uint64_t)t.tm_mday, 2);
    *at++ = ' ';
    at = put(at, months + (ptrdiff_t)t.tm_mon * 3, 3);
    *at++ = ' ';
    at = put_number(at, ((uint64_t)t.tm_year + 1900) % 10000, 4);
    *at++ = ' ';
    at = put_number(at, (uint64_t)t.tm_hour, 2);
    *at++ = ':';
    at = put_number(at, (uint64_t)t.tm_min, 2);
    *at++ = ':';
    at = put_number(at, (uint64_t)t.tm_sec, 2);
    at = PUT(at, " GMT\r\n");
    server->date_len = (size_t)(at - server->date);
    server->date_s = now;
}

static char *put_date(char *at, struct sh_http_server *server)
{
    time_t now = time(NULL);
    if (now != server->date_s)
        renew_date(server, now);
    return put(at, server->date, server->date_len);
}

static char *put_status(char *at, int status)
{
    const char *text = sh_http_status_text(status);
    at = PUT(at, "HTTP/1.1 ");
    at = put_number(at, (uint64_t)status, 3);
    *at++ = ' ';
    at = put(at, text, strlen(text));
    return PUT(at, "\r\n");
}

static char *put_ids(char *at, const struct sh_http_request *request)
{
    const char *id = request->trace.request_id;
    uint64_t us = sh_now_us() - request->start_us;
    at = PUT(at, "X-Request-ID: ");
    at = put(at, id, strlen(id));
    at = PUT(at, "\r\nX-Response-Time: ");
    at = put_number(at, us / 1000, 1);
    *at++ = '.';
    at = put_number(at, us % 1000, 3);
    return PUT(at, "\r\n");
}

static char *put_framing(char *at, const struct sh_http_request *request, int64_t length)
{
    if (request->chunked)
        at = PUT(at, "Transfer-Encoding: chunked\r\n");
    if (length >= 0) {
        at = PUT(at, "Content-Length: ");
        at = put_number(at, (uint64_t)length, 1);
        at = PUT(at, "\r\n");
    }
    if (request->conn->last)
        at = PUT(at, "Connection: close\r\n");
    else if (request->parse.http10)
        at = PUT(at, "Connection: keep-alive\r\n");
    return at;
}

static size_t fixed_len(const struct sh_http_fixed *fixed)
{
    return fixed->always.len + fixed->policy.len + fixed->secure.len;
}

static char *put_fixed(char *at, const struct sh_http_request *request)
{
    const struct sh_http_fixed *fixed = &request->conn->server->fixed;
    at = put(at, fixed->always.data, fixed->always.len);
    if (!request->own_policy)
        at = put(at, fixed->policy.data, fixed->policy.len);
    if (request->secure)
        at = put(at, fixed->secure.data, fixed->secure.len);
    return at;
}

void http_head_put(struct sh_buffer *out, struct sh_http_request *request, int status,
                   const char *content_type, int64_t length, size_t room)
{
    struct sh_bytes type = sh_bytes_of(content_type);
    size_t extra = request->extra.len;
    size_t fixed = fixed_len(&request->conn->server->fixed);
    char *start =
        sh_buffer_reserve(out, HEAD_FIXED_MAX + fixed + type.len + extra + room);
    if (!start)
        return;
    char *at = put_status(start, status);
    at = put_date(at, request->conn->server);
    if (type.len > 0 && http_is_value(type)) {
        at = PUT(at, "Content-Type: ");
        at = put(at, type.data, type.len);
        at = PUT(at, "\r\n");
    }
    at = put_framing(at, request, length);
    at = put_ids(at, request);
    at = put_fixed(at, request);
    at = put(at, request->extra.data, extra);
    at = PUT(at, "\r\n");
    out->len += (size_t)(at - start);
}

/* What frames the answer is decided here and nowhere else. */
static bool is_ours(const char *name)
{
    static const char *const ours[] = {"content-length", "transfer-encoding", "date",
                                       "x-request-id", "x-response-time"};
    for (size_t i = 0; i < SH_COUNT(ours); i++) {
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    }
    return false;
}

void sh_http_add_lines(struct sh_http_request *request, struct sh_bytes lines)
{
    sh_buffer_append(&request->extra, lines.data, lines.len);
}

void sh_http_add_header(struct sh_http_request *request, const char *name,
                        const char *value)
{
    if (!http_is_token(sh_bytes_of(name)) || !http_is_value(sh_bytes_of(value)) ||
        is_ours(name)) {
        sh_warning(&request->trace, "a response header was dropped: not valid");
        return;
    }
    if (strcasecmp(name, "connection") == 0) {
        request->close |= strcasecmp(value, "close") == 0;
        return;
    }
    request->own_policy |= strcasecmp(name, "content-security-policy") == 0;
    request->unpacked |=
        strcasecmp(name, "set-cookie") == 0 || strcasecmp(name, "content-encoding") == 0;
    /* packed or not, the bytes differ, so that only a weak validator is true of both */
    bool weaken = request->conn->server->packing.least > 0 && !request->unpacked &&
                  strcasecmp(name, "etag") == 0 && value[0] == '"';
    struct sh_buffer *extra = &request->extra;
    sh_buffer_text(extra, name);
    sh_buffer_text(extra, weaken ? ": W/" : ": ");
    sh_buffer_text(extra, value);
    sh_buffer_text(extra, "\r\n");
}
