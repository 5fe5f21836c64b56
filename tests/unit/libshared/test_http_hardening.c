/* What smuggles, confuses or is just wrong: refused with a problem, and closed. */
#include "http_fixture.h"
#include "shared/metrics.h"

static void read_body(void *arg, struct sh_http_request *request, enum sh_err err,
                      struct sh_bytes body)
{
    (void)arg;
    if (err == SH_OK)
        sh_http_respond(request, 200, "text/plain", body);
    else
        sh_http_fail_err(request, err, NULL);
}

static void count_abort(void *arg)
{
    struct fixture *f = arg;
    f->aborts++;
}

static void handler(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_on_abort(request, count_abort, f);
    sh_http_read_all(request, 1000, read_body, f);
}

struct bad_case {
    const char *bytes;
    size_t len;
    int status;
};

#define CASE(status, bytes)                                                              \
    {                                                                                    \
        bytes, sizeof(bytes) - 1, status                                                 \
    }
#define HOST "Host: x\r\n"

static const struct bad_case heads[] = {
    /* line ends */
    CASE(400, "GET / HTTP/1.1\nHost: x\n\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: x\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\r\n" HOST "\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n\rEvil: b\r\n\r\n"),
    CASE(400, "\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    /* folded lines, leading space, names */
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb: c\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X(Y: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X\xc3\xa9: a\r\n\r\n"),
    /* control characters */
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST "X\0Y: a\r\n\r\n"),
    CASE(400, "GET /\0 HTTP/1.1\r\n" HOST "\r\n"),
    /* request line */
    CASE(400, "GET /a b HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET / HTTP/1.1 \r\n" HOST "\r\n"),
    CASE(400, " GET / HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET /#a HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET a HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET * HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET ftp://x/ HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET http:// HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET http://y/ HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET http://x:81/ HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET http://x@x/ HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET http:///a HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "G(T / HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET /\r\n\r\n"),
    CASE(400, "GET / FTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET / http/1.1\r\n" HOST "\r\n"),
    CASE(400, "GET / ICE/1.0\r\n" HOST "\r\n"),
    CASE(400, "DESCRIBE / RTSP/1.0\r\n" HOST "\r\n"),
    CASE(400, "GET / RTSP/1.0\r\n" HOST "\r\n"),
    CASE(505, "GET / HTTP/2.0\r\n" HOST "\r\n"),
    CASE(505, "GET / HTTP/1.2\r\n" HOST "\r\n"),
    CASE(505, "GET / HTTP/0.9\r\n" HOST "\r\n"),
    CASE(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    CASE(501, "CONNECT x:443 HTTP/1.1\r\n" HOST "\r\n"),
    CASE(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    /* host */
    CASE(400, "GET / HTTP/1.1\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
    CASE(400, "GET / HTTP/1.0\r\n" HOST "host: y\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    /* framing */
    CASE(400,
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
    CASE(400,
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\na"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551616\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST
              "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST
              "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked,\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"),
    CASE(400, "POST / HTTP/1.1\r\n" HOST
              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    CASE(400, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE(417, "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na"),
};

/* After the head the handler has the request; it sees an abort. */
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
static const struct bad_case bodies[] = {
    CASE(400, CHUNKED "x\r\n\r\n"),
    CASE(400, CHUNKED "-1\r\nabc\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, CHUNKED " 3\r\nabc\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "3\nabc\n0\n\n"),
    CASE(400, CHUNKED "3\r\nabc\n0\r\n\r\n"),
    CASE(400, CHUNKED "3\r\nabcd\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "3\r\nab\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "fffffffffffffffff\r\n"),
    CASE(400, CHUNKED "3\rabc\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "3;a\n\r\nabc\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "\r\n0\r\n\r\n"),
};

static void refuses(struct fixture *f, const struct bad_case *bad, size_t index)
{
    struct heard *heard = exchange(f, bad->bytes, bad->len);
    if (status_of(heard) != bad->status)
        fail_msg("case %zu: %s\nheard: %s", index, bad->bytes, heard->data);
    assert_int_equal(count_of(heard->data, "\r\nDate: "), 1);
    assert_non_null(strstr(heard->data, "Content-Type: application/problem+json\r\n"));
    assert_non_null(strstr(heard->data, "Connection: close\r\n"));
    assert_non_null(strstr(heard->data, "X-Request-ID: req_"));
    assert_non_null(strstr(heard->data, "X-Response-Time: "));
    assert_non_null(strstr(heard->data, "\"request_id\":\"req_"));
    free(heard);
}

static void bad_heads_are_refused(void **state)
{
    struct fixture *f = *state;
    serve(f, handler);
    for (size_t i = 0; i < SH_COUNT(heads); i++)
        refuses(f, &heads[i], i);
    assert_int_equal(f->calls, 0);
}

static void bad_bodies_are_refused(void **state)
{
    struct fixture *f = *state;
    serve(f, handler);
    for (size_t i = 0; i < SH_COUNT(bodies); i++)
        refuses(f, &bodies[i], i);
    assert_int_equal(f->calls, (int)SH_COUNT(bodies));
    assert_int_equal(f->aborts, f->calls);
}

static double counted(const char *reason)
{
    struct sh_buffer out = {0};
    char name[128];
    (void)snprintf(name, sizeof(name),
                   "cairn_http_bad_requests_total{listener=\"test\",reason=\"%s\"} ",
                   reason);
    sh_metrics_render(&out, false);
    sh_buffer_append(&out, "", 1);
    assert_int_equal(out.err, SH_OK);
    const char *line = strstr(out.data, name);
    double value = line ? strtod(line + strlen(name), NULL) : -1;
    sh_buffer_free(&out);
    return value;
}

static void faults_are_counted_by_reason(void **state)
{
    struct fixture *f = *state;
    static const char bytes[] = "GET / HTTP/1.1\r\n\r\n";
    serve(f, handler);
    double before = counted("host");
    assert_true(before >= 0);
    free(exchange(f, bytes, sizeof(bytes) - 1));
    assert_true(counted("host") == before + 1);
}

/* Every way to cut the same bytes into two or into single ones gives the same answers. */
static void cutting_the_bytes_changes_nothing(void **state)
{
    static const char bytes[] =
        "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "3;ext=\"1\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
    struct fixture *f = *state;
    serve(f, handler);
    for (size_t cut = 0; cut <= sizeof(bytes) - 1; cut++) {
        struct heard *heard = calloc(1, sizeof(*heard));
        int fd = dial(f);
        for (size_t i = 0; cut == 0 && i < sizeof(bytes) - 1; i++) {
            say_bytes(fd, bytes + i, 1);
            turn(f, sh_now_ms() + PATIENCE_MS);
        }
        if (cut > 0) {
            say_bytes(fd, bytes, cut);
            pump_for(f, 1);
            say_bytes(fd, bytes + cut, sizeof(bytes) - 1 - cut);
        }
        hear_end(f, fd, heard); /* a request with trailers is its connection's last */
        assert_int_equal(status_of(heard), 200);
        assert_string_equal(strstr(heard->data, "\r\n\r\n") + 4, "abc0123456789");
        close(fd);
        free(heard);
    }
}

static void a_cut_off_request_is_told(void **state)
{
    static const char bytes[] =
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab";
    struct fixture *f = *state;
    serve(f, handler);
    for (size_t len = 1; len < sizeof(bytes); len++) {
        struct heard *heard = calloc(1, sizeof(*heard));
        int fd = dial(f);
        say_bytes(fd, bytes, len);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        hear_end(f, fd, heard);
        assert_int_equal(status_of(heard), 400);
        close(fd);
        free(heard);
    }
    assert_int_equal(f->aborts, f->calls);
    assert_int_equal(f->calls, 3);
}

static void extensions_and_trailers_are_bounded(void **state)
{
    struct fixture *f = *state;
    char big[8192];
    char bytes[20000];
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    serve(f, handler);
    (void)snprintf(bytes, sizeof(bytes), CHUNKED "3;%s\r\nabc\r\n0\r\n\r\n", big);
    refuses(f, &(struct bad_case){bytes, strlen(bytes), 400}, 0);
    (void)snprintf(bytes, sizeof(bytes), CHUNKED "3\r\nabc\r\n0\r\nT: %s\r\n\r\n", big);
    refuses(f, &(struct bad_case){bytes, strlen(bytes), 400}, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(bad_heads_are_refused),        TEST(bad_bodies_are_refused),
        TEST(faults_are_counted_by_reason), TEST(cutting_the_bytes_changes_nothing),
        TEST(a_cut_off_request_is_told),    TEST(extensions_and_trailers_are_bounded),
    };
    return cmocka_run_group_tests_name("http_hardening", tests, NULL, NULL);
}
