/* http_parse: llhttp over a complete head, and pulled through a body. Its callbacks only
 * note what they saw; a body's pieces pause it, so that nobody is called from inside. */
#include "http_parse.h"

#include <strings.h>

enum { OVERHEAD_MAX = 4096 }; /* chunk extensions and trailers between two pieces */

#define FAULT_STATUS(name, status, reason, code, text) status,
#define FAULT_REASON(name, status, reason, code, text) reason,
#define FAULT_CODE(name, status, reason, code, text)   code,
#define FAULT_TEXT(name, status, reason, code, text)   text,

int http_fault_status(enum http_fault fault)
{
    static const int table[] = {HTTP_FAULTS(FAULT_STATUS)};
    return table[fault];
}

const char *http_fault_reason(enum http_fault fault)
{
    static const char *const table[] = {HTTP_FAULTS(FAULT_REASON)};
    return table[fault];
}

const char *http_fault_code(enum http_fault fault)
{
    static const char *const table[] = {HTTP_FAULTS(FAULT_CODE)};
    return table[fault];
}

const char *http_fault_text(enum http_fault fault)
{
    static const char *const table[] = {HTTP_FAULTS(FAULT_TEXT)};
    return table[fault];
}

/* --- what llhttp calls ------------------------------------------------------------ */

static int on_url(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *self = llhttp->data;
    self->target = (struct sh_bytes){at, len};
    return 0;
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *self = llhttp->data;
    if (self->in_body) {
        self->keep_alive = false; /* trailers: rare, and a place to hide a request */
        return 0;
    }
    if (self->header_count == self->headers_max) {
        self->fault = HTTP_LARGE_HEAD;
        return HPE_USER;
    }
    self->headers[self->header_count++] = (struct http_header){.name = {at, len}};
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *self = llhttp->data;
    if (self->in_body || self->header_count == 0)
        return 0;
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    self->headers[self->header_count - 1].value = (struct sh_bytes){at, len};
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct http_parse *self = llhttp->data;
    self->keep_alive = llhttp_should_keep_alive(llhttp) != 0;
    self->in_body = true;
    llhttp->upgrade = 0; /* Upgrade is ignored, as a server may */
    return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parse *self = llhttp->data;
    self->piece = (struct sh_bytes){at, len};
    return len > 0 ? HPE_PAUSED : 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct http_parse *self = llhttp->data;
    self->complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- the head --------------------------------------------------------------------- */

static bool name_is(const struct http_header *header, const char *name, size_t len)
{
    return header->name.len == len && strncasecmp(header->name.data, name, len) == 0;
}

struct sh_bytes http_parse_header_at(const struct http_parse *self, const char *name,
                                     size_t nth)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < self->header_count; i++) {
        if (name_is(&self->headers[i], name, len) && nth-- == 0)
            return self->headers[i].value;
    }
    return (struct sh_bytes){0};
}

struct sh_bytes http_parse_header(const struct http_parse *self, const char *name)
{
    return http_parse_header_at(self, name, 0);
}

static bool valid_host(struct sh_bytes host)
{
    /* letters, digits and -._~!$&'()*+,;=:[]% */
    static const uint64_t set[2] = {0x2fff7ff200000000, 0x47fffffeaffffffe};
    const unsigned char *at = host.data;
    for (size_t i = 0; i < host.len; i++) {
        if (at[i] >= 128 || (set[at[i] >> 6] >> (at[i] & 63) & 1) == 0)
            return false;
    }
    return true;
}

static bool valid_length(struct sh_bytes value)
{
    const char *at = value.data;
    for (size_t i = 0; i < value.len; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
    }
    return value.len > 0;
}

static bool same_word(struct sh_bytes value, const char *word)
{
    return value.len == strlen(word) && strncasecmp(value.data, word, value.len) == 0;
}

/* How often each header that decides something occurs, and whether it says something
 * understood. */
struct found {
    unsigned hosts;
    unsigned lengths;
    unsigned encodings;
    bool bad_host;
    bool bad_length;
    bool bad_encoding;
    bool bad_expect;
};

static void look_at(struct http_parse *self, const struct http_header *header,
                    struct found *found)
{
    switch (header->name.len) {
    case 4:
        if (name_is(header, "host", 4)) {
            found->hosts++;
            found->bad_host |= !valid_host(header->value);
        }
        break;
    case 6:
        if (name_is(header, "expect", 6)) {
            self->expects_continue = same_word(header->value, "100-continue");
            found->bad_expect |= !self->expects_continue;
        }
        break;
    case 14:
        if (name_is(header, "content-length", 14)) {
            found->lengths++;
            found->bad_length |= !valid_length(header->value);
        }
        break;
    case 17:
        if (name_is(header, "transfer-encoding", 17)) {
            found->encodings++;
            found->bad_encoding |= !same_word(header->value, "chunked");
        }
        break;
    default:
        break;
    }
}

static enum http_fault check_headers(struct http_parse *self)
{
    struct found found = {0};
    for (size_t i = 0; i < self->header_count; i++)
        look_at(self, &self->headers[i], &found);

    if (found.bad_host || found.hosts > 1 || (found.hosts == 0 && !self->http10))
        return HTTP_BAD_HOST;
    if (found.lengths > 1 || found.encodings > 1 || found.bad_length ||
        found.bad_encoding || (found.lengths > 0 && found.encodings > 0) ||
        (found.encodings > 0 && self->http10))
        return HTTP_BAD_FRAMING;
    if (self->http10)
        self->expects_continue = false; /* RFC 9110 10.1.1: to be ignored */
    else if (found.bad_expect)
        return HTTP_BAD_EXPECT;
    self->chunked = found.encodings > 0;
    return HTTP_FINE;
}

static bool same_name(struct sh_bytes a, struct sh_bytes b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.data, b.data, a.len) == 0;
}

/* Absolute form names the authority once more. What counts here is the path; a proxy in
 * front may have gone by either name, so they must be the same. */
static enum http_fault strip_authority(struct http_parse *self, struct sh_bytes *target,
                                       bool *absolute)
{
    const char *at = target->data;
    size_t skip = 0;
    if (target->len > 7 && strncasecmp(at, "http://", 7) == 0)
        skip = 7;
    else if (target->len > 8 && strncasecmp(at, "https://", 8) == 0)
        skip = 8;
    *absolute = skip > 0;
    if (skip == 0)
        return HTTP_FINE;
    size_t start = skip;
    while (skip < target->len && at[skip] != '/' && at[skip] != '?')
        skip++;
    struct sh_bytes authority = {at + start, skip - start};
    struct sh_bytes host = http_parse_header(self, "host");
    *target = (struct sh_bytes){at + skip, target->len - skip};
    if (!valid_host(authority) || authority.len == 0)
        return HTTP_BAD_TARGET;
    return !host.data || same_name(authority, host) ? HTTP_FINE : HTTP_BAD_HOST;
}

static enum http_fault split_target(struct http_parse *self)
{
    struct sh_bytes rest = self->target;
    if (rest.len == 0 || memchr(rest.data, '#', rest.len))
        return HTTP_BAD_TARGET;
    if (sh_bytes_is(rest, "*") && sh_bytes_is(self->method, "OPTIONS")) {
        self->path = rest;
        return HTTP_FINE;
    }
    bool absolute;
    enum http_fault fault = strip_authority(self, &rest, &absolute);
    if (fault != HTTP_FINE)
        return fault;
    const char *at = rest.data;
    const char *mark = rest.len > 0 ? memchr(at, '?', rest.len) : NULL;
    size_t path = mark ? (size_t)(mark - at) : rest.len;
    if (path == 0 && !absolute)
        return HTTP_BAD_TARGET;
    self->path = path > 0 ? (struct sh_bytes){at, path} : sh_bytes_of("/");
    if (mark)
        self->query = (struct sh_bytes){mark + 1, rest.len - path - 1};
    return ((const char *)self->path.data)[0] == '/' ? HTTP_FINE : HTTP_BAD_TARGET;
}

/* llhttp knows a list of methods, some of other protocols; which ones exist here is the
 * handler's business. Any that it might treat in a way of its own is read as POST, which
 * like all of them has a body when the headers say so. */
static bool is_plain_method(struct sh_bytes method)
{
    static const char *const plain[] = {"GET",    "POST",    "HEAD", "PUT",
                                        "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < SH_COUNT(plain); i++) {
        if (sh_bytes_is(method, plain[i]))
            return true;
    }
    return false;
}

static llhttp_errno_t execute_head(struct http_parse *self, struct sh_bytes head)
{
    const char *at = head.data;
    if (is_plain_method(self->method))
        return llhttp_execute(&self->llhttp, at, head.len);
    llhttp_errno_t rc = llhttp_execute(&self->llhttp, "POST", 4);
    if (rc != HPE_OK)
        return rc;
    return llhttp_execute(&self->llhttp, at + self->method.len,
                          head.len - self->method.len);
}

static enum http_fault fault_of(const struct http_parse *self, llhttp_errno_t rc)
{
    if (self->fault != HTTP_FINE)
        return self->fault;
    switch ((int)rc) {
    case HPE_INVALID_VERSION:
        return HTTP_BAD_VERSION;
    case HPE_INVALID_URL:
        return HTTP_BAD_TARGET;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
        return HTTP_BAD_FRAMING;
    case HPE_INVALID_HEADER_TOKEN:
        return HTTP_BAD_HEADER;
    default:
        return HTTP_BAD_SYNTAX;
    }
}

static void start(struct http_parse *self)
{
    struct http_header *headers = self->headers;
    size_t headers_max = self->headers_max;
    *self = (struct http_parse){.headers = headers, .headers_max = headers_max};
    llhttp_init(&self->llhttp, HTTP_REQUEST, &settings);
    self->llhttp.data = self;
}

enum http_fault http_parse_head(struct http_parse *self, struct sh_bytes head)
{
    start(self);
    const char *space = memchr(head.data, ' ', head.len);
    if (!space)
        return HTTP_BAD_SYNTAX;
    self->method =
        (struct sh_bytes){head.data, (size_t)(space - (const char *)head.data)};
    self->is_head = sh_bytes_is(self->method, "HEAD");
    if (sh_bytes_is(self->method, "CONNECT"))
        return HTTP_NO_METHOD;

    llhttp_errno_t rc = execute_head(self, head);
    if (rc != HPE_OK && !(rc == HPE_PAUSED && self->complete))
        return fault_of(self, rc);
    if (!self->in_body)
        return HTTP_BAD_SYNTAX; /* llhttp sees no end where the scan saw one */
    if (self->llhttp.http_major != 1 || self->llhttp.http_minor > 1)
        return HTTP_BAD_VERSION;
    self->http10 = self->llhttp.http_minor == 0;
    self->content_length = self->complete ? 0 : self->llhttp.content_length;
    enum http_fault fault = check_headers(self);
    return fault != HTTP_FINE ? fault : split_target(self);
}

/* --- the body --------------------------------------------------------------------- */

static enum http_piece wrong(struct http_parse *self, enum http_fault fault)
{
    self->fault = fault;
    return HTTP_WRONG;
}

enum http_piece http_parse_body(struct http_parse *self, struct sh_bytes input,
                                size_t *used, struct sh_bytes *piece)
{
    *used = 0;
    if (self->fault != HTTP_FINE)
        return HTTP_WRONG;
    if (self->complete)
        return HTTP_END;
    if (input.len == 0)
        return HTTP_MORE;

    const char *data = input.data;
    self->piece = (struct sh_bytes){0};
    llhttp_resume(&self->llhttp);
    llhttp_errno_t rc = llhttp_execute(&self->llhttp, data, input.len);
    if (rc != HPE_OK && rc != HPE_PAUSED)
        return wrong(self, HTTP_BAD_BODY);
    *used = input.len;
    if (rc == HPE_PAUSED)
        *used = (size_t)(llhttp_get_error_pos(&self->llhttp) - data);

    self->overhead += *used - self->piece.len;
    if (self->overhead > OVERHEAD_MAX)
        return wrong(self, HTTP_BAD_BODY);
    if (self->piece.len > 0) {
        self->overhead = 0;
        self->body_seen += self->piece.len;
        if (!self->chunked && self->body_seen == self->content_length)
            self->complete = true; /* llhttp would say so only with the next byte */
        *piece = self->piece;
        return HTTP_PIECE;
    }
    return self->complete ? HTTP_END : HTTP_MORE;
}
