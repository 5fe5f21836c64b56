/* Requests as bytes: the scan, the head and the body, as a connection runs them. The
 * first byte says how the input is cut into reads; however it is cut, the same requests
 * must come out of it. */
#include <stdint.h>
#include <stdlib.h>

#include "libshared/src/http_parse.h"

enum { HEADERS = 64, HEAD_BYTES = 16384 };

/* What was understood, as one number. */
struct digest {
    uint64_t value;
    size_t requests;
    enum http_fault fault;
};

static void add(struct digest *digest, const void *data, size_t len)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < len; i++)
        digest->value = (digest->value ^ at[i]) * 1099511628211u;
}

static void add_view(struct digest *digest, struct sh_bytes view)
{
    add(digest, view.data, view.len);
    add(digest, "|", 1);
}

struct feed {
    const char *data;
    size_t len;  /* arrived */
    size_t end;  /* of all input */
    size_t step; /* bytes of a read */
    size_t at;   /* consumed */
};

static bool read_more(struct feed *feed)
{
    if (feed->len == feed->end)
        return false;
    size_t more = feed->end - feed->len;
    feed->len += more < feed->step ? more : feed->step;
    return true;
}

static struct sh_bytes unread(const struct feed *feed)
{
    return (struct sh_bytes){feed->data + feed->at, feed->len - feed->at};
}

static bool take_body(struct http_parse *parse, struct feed *feed, struct digest *digest)
{
    for (;;) {
        struct sh_bytes piece = {0};
        size_t used;
        struct sh_bytes input = unread(feed);
        enum http_piece kind = http_parse_body(parse, input, &used, &piece);
        if (used > input.len)
            abort();
        feed->at += used;
        if (kind == HTTP_PIECE) {
            if (piece.len == 0 || (const char *)piece.data < (const char *)input.data ||
                (const char *)piece.data + piece.len >
                    (const char *)input.data + input.len)
                abort();
            add(digest, piece.data, piece.len);
        } else if (kind == HTTP_END) {
            return true;
        } else if (kind == HTTP_WRONG) {
            digest->fault = parse->fault;
            return false;
        } else if (used != input.len) {
            abort();
        } else if (!read_more(feed)) {
            digest->fault = HTTP_CUT_OFF;
            return false;
        }
    }
}

static bool take_head(struct http_parse *parse, struct sh_bytes head,
                      struct digest *digest)
{
    digest->fault = http_parse_head(parse, head);
    if (digest->fault != HTTP_FINE)
        return false;
    if (parse->method.len == 0 || parse->path.len == 0)
        abort();
    add_view(digest, parse->method);
    add_view(digest, parse->path);
    add_view(digest, parse->query);
    for (size_t i = 0; i < parse->header_count; i++) {
        add_view(digest, parse->headers[i].name);
        add_view(digest, parse->headers[i].value);
        if (!http_is_token(parse->headers[i].name) ||
            !http_is_value(parse->headers[i].value))
            abort();
    }
    return true;
}

static struct digest run(const char *data, size_t len, size_t step)
{
    static const struct http_bounds bounds = {HEAD_BYTES, HEADERS};
    static struct http_header headers[HEADERS];
    struct feed feed = {.data = data, .end = len, .step = step};
    struct digest digest = {0};
    struct http_scan scan = {0};

    for (bool more = true; more;) {
        size_t end;
        digest.fault = http_scan_head(&scan, &bounds, unread(&feed), &end);
        if (digest.fault != HTTP_FINE)
            break;
        if (end == 0) {
            more = read_more(&feed);
            continue;
        }
        size_t head_len = end - scan.skip;
        char *head = malloc(head_len); /* exact, so that reading past it is seen */
        if (!head)
            abort();
        memcpy(head, data + feed.at + scan.skip, head_len);
        feed.at += end;
        scan = (struct http_scan){0};
        struct http_parse parse = {.headers = headers, .headers_max = HEADERS};
        more = take_head(&parse, (struct sh_bytes){head, head_len}, &digest) &&
               take_body(&parse, &feed, &digest) && parse.keep_alive;
        digest.requests++;
        free(head);
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *bytes = (const char *)data + 1;
    struct digest whole = run(bytes, size - 1, size);
    struct digest cut = run(bytes, size - 1, (size_t)data[0] + 1);
    /* a bad body may be noticed before or after a piece of it was handed on */
    if (whole.requests != cut.requests || whole.fault != cut.fault ||
        (whole.fault == HTTP_FINE && whole.value != cut.value))
        abort();
    return 0;
}
