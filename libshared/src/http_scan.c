/* http_scan: the head of a request as lines, before llhttp sees it. llhttp 8.1 and 9.2
 * differ in what they forgive at line ends and colons; here nothing is forgiven. */
#include "http_parse.h"

enum {
    REQUEST_LINE_MAX = 8192,
    EMPTY_LINES_MAX = 4, /* RFC 9112 2.2: some clients send CR LF after a body */
};

static bool is_token_byte(unsigned char c)
{
    static const uint64_t set[2] = {0x3ff6cfa00000000, 0x57ffffffc7fffffe};
    return c < 128 && (set[c >> 6] >> (c & 63) & 1) != 0;
}

static bool is_value_byte(unsigned char c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

bool http_is_token(struct sh_bytes text)
{
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_byte(at[i]))
            return false;
    }
    return text.len > 0;
}

bool http_is_value(struct sh_bytes text)
{
    const unsigned char *at = text.data;
    unsigned char wrong = 0; /* no early exit: the compiler can take many at a time */
    for (size_t i = 0; i < text.len; i++)
        wrong |= (unsigned char)!is_value_byte(at[i]);
    return wrong == 0;
}

/* Method, one space, target, one space, version. llhttp reads them too, but is more
 * forgiving, and speaks RTSP. */
static enum http_fault check_request_line(const char *line, size_t len)
{
    const char *first = NULL;
    const char *last = NULL;
    size_t spaces = 0;
    for (const char *at = line; at < line + len; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c >= 0x7f)
            return HTTP_BAD_SYNTAX;
        if (c != ' ')
            continue;
        first = first ? first : at;
        last = at;
        spaces++;
    }
    if (spaces != 2 || line + len - last < 6 || memcmp(last, " HTTP/", 6) != 0)
        return HTTP_BAD_SYNTAX;
    size_t method = (size_t)(first - line);
    return http_is_token((struct sh_bytes){line, method}) ? HTTP_FINE : HTTP_BAD_SYNTAX;
}

/* A name, a colon right after it, a value. A leading space would be a folded line, or a
 * header hidden from whoever strips it. */
static enum http_fault check_header_line(const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return HTTP_BAD_HEADER;
    size_t name = (size_t)(colon - line);
    if (!http_is_token((struct sh_bytes){line, name}) ||
        !http_is_value((struct sh_bytes){colon, len - name}))
        return HTTP_BAD_HEADER;
    return HTTP_FINE;
}

static size_t request_line_max(const struct http_bounds *bounds)
{
    size_t half = bounds->head_bytes / 2;
    return half < REQUEST_LINE_MAX ? half : REQUEST_LINE_MAX;
}

/* Sizes of what has arrived so far: `len` bytes of the current line, `total` of the head.
 */
static enum http_fault check_size(const struct http_scan *scan,
                                  const struct http_bounds *bounds, size_t len,
                                  size_t total)
{
    if (scan->lines == 0 && len > request_line_max(bounds))
        return HTTP_LONG_TARGET;
    if (total > bounds->head_bytes || scan->lines > bounds->headers + 1)
        return HTTP_LARGE_HEAD;
    return HTTP_FINE;
}

/* One line without its LF. */
static enum http_fault take_line(struct http_scan *scan, const char *line, size_t len,
                                 bool *blank)
{
    if (len == 0 || line[len - 1] != '\r')
        return HTTP_BAD_LINE_END;
    len--; /* a CR elsewhere in it is a control character, which no line may have */
    *blank = len == 0 && scan->lines > 0;
    if (*blank)
        return HTTP_FINE;
    if (scan->lines > 0) {
        scan->lines++;
        return check_header_line(line, len);
    }
    if (len > 0) {
        scan->lines = 1;
        return check_request_line(line, len);
    }
    scan->skip += 2;
    return scan->skip / 2 > EMPTY_LINES_MAX ? HTTP_BAD_SYNTAX : HTTP_FINE;
}

/* What cannot become a request, such as TLS on a plain port, is told at once and not
 * after the time for a head: a request begins with a method, or with an empty line. */
static enum http_fault check_first_byte(const struct http_scan *scan,
                                        struct sh_bytes input)
{
    if (scan->lines > 0 || scan->line >= input.len)
        return HTTP_FINE;
    unsigned char first = ((const unsigned char *)input.data)[scan->line];
    return is_token_byte(first) || first == '\r' || first == '\n' ? HTTP_FINE
                                                                  : HTTP_BAD_SYNTAX;
}

enum http_fault http_scan_head(struct http_scan *scan, const struct http_bounds *bounds,
                               struct sh_bytes input, size_t *end)
{
    const char *data = input.data;
    enum http_fault fault = check_first_byte(scan, input);
    bool blank = false;

    *end = 0;
    while (fault == HTTP_FINE && scan->at < input.len) {
        const char *lf = memchr(data + scan->at, '\n', input.len - scan->at);
        size_t stop = lf ? (size_t)(lf - data) : input.len;
        fault = check_size(scan, bounds, stop - scan->line, stop - scan->skip);
        scan->at = stop;
        if (!lf || fault != HTTP_FINE)
            break;
        fault = take_line(scan, data + scan->line, stop - scan->line, &blank);
        scan->at = scan->line = stop + 1;
        if (fault == HTTP_FINE && blank) {
            *end = scan->at;
            return check_size(scan, bounds, 0, *end - scan->skip);
        }
        if (fault == HTTP_FINE) /* after an empty line another one begins */
            fault = check_first_byte(scan, input);
    }
    return fault;
}
