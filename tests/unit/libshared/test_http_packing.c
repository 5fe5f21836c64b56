/* Answers packed for those who ask for it: what is asked for, what comes back, and what
 * is never packed. */
#include "http_fixture.h"

#include <zlib.h>
#include <zstd.h>

#include "libshared/src/http_pack.h"
#include "shared/mem.h"

enum { LONG = 150000, MIDDLE = 5000, LEAST = 1000 };

/* --- what is asked for ------------------------------------------------------------ */

static void the_best_coding_is_chosen_by_weight(void **state)
{
    static const struct {
        const char *line;
        enum http_coding wanted;
    } cases[] = {
        {"gzip", HTTP_GZIP},
        {"x-gzip", HTTP_GZIP},
        {"GZIP;Q=0.1", HTTP_GZIP},
        {"zstd", HTTP_ZSTD},
        {"gzip, deflate, br, zstd", HTTP_ZSTD},
        {"gzip;q=1.0, zstd;q=0.5", HTTP_GZIP},
        {" gzip ; q=0.8 ,zstd;q=0.801", HTTP_ZSTD},
        {"*", HTTP_ZSTD},
        {"*;q=0.1, gzip;q=0.2", HTTP_GZIP},
        {"zstd;q=0, *", HTTP_GZIP},
        {"gzip;q=0", HTTP_IDENTITY},
        {"gzip;q=0.000, zstd;q=0", HTTP_IDENTITY},
        {"*;q=0", HTTP_IDENTITY},
        {"identity", HTTP_IDENTITY},
        {"identity;q=1, gzip;q=0.5", HTTP_IDENTITY},
        {"identity;q=0.5, gzip;q=0.5", HTTP_GZIP},
        {"identity;q=0", HTTP_IDENTITY}, /* nobody is answered 406 */
        {"br, deflate, compress", HTTP_IDENTITY},
        {"", HTTP_IDENTITY},
        {",,;,", HTTP_IDENTITY},
        {"gzip;q=2", HTTP_IDENTITY},
        {"gzip;q=1.001", HTTP_IDENTITY},
        {"gzip;q=0.1234", HTTP_IDENTITY},
        {"gzip;q=x", HTTP_IDENTITY},
        {"gzip;q", HTTP_IDENTITY},
        {"gzip;level=9", HTTP_IDENTITY},
        {"gzipped", HTTP_IDENTITY},
    };
    struct http_wish none = {0};
    (void)state;
    assert_int_equal(http_wish_best(&none), HTTP_IDENTITY);
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct http_wish wish = {0};
        http_wish_read(&wish, sh_bytes_of(cases[i].line));
        if (http_wish_best(&wish) != cases[i].wanted)
            fail_msg("%s", cases[i].line);
    }
    struct http_wish lines = {0};
    http_wish_read(&lines, sh_bytes_of("gzip;q=0.5"));
    http_wish_read(&lines, sh_bytes_of("zstd"));
    assert_int_equal(http_wish_best(&lines), HTTP_ZSTD);
}

static void only_text_is_packed(void **state)
{
    (void)state;
    assert_true(http_is_packable("application/json"));
    assert_true(http_is_packable("Application/JSON; charset=utf-8"));
    assert_true(http_is_packable("application/problem+json"));
    assert_true(http_is_packable("text/html; charset=utf-8"));
    assert_true(http_is_packable("image/svg+xml"));
    assert_true(http_is_packable("application/x-ndjson"));
    assert_false(http_is_packable("image/png"));
    assert_false(http_is_packable("application/zip"));
    assert_false(http_is_packable("application/octet-stream"));
    assert_false(http_is_packable("text/"));
    assert_false(http_is_packable(""));
}

/* --- what comes back -------------------------------------------------------------- */

static char content[LONG];
static size_t length;
static const char *header_name; /* added by the handler */
static const char *header_value;
static bool leave;

static void fill(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < LONG; i++) {
        state = state * 1664525 + 1013904223;
        content[i] = (char)('a' + (state >> 24) % 16);
    }
}

static void handler(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    if (header_name)
        sh_http_add_header(request, header_name, header_value);
    if (leave)
        sh_http_leave_unpacked(request);
    sh_http_respond(request, 200, "application/json", (struct sh_bytes){content, length});
}

static int told; /* answers that were finished */

static void finished(void *arg, struct sh_http_request *request, int status,
                     uint64_t bytes, uint64_t duration_us)
{
    struct fixture *f = arg;
    (void)request;
    (void)duration_us;
    f->finished_status = status;
    f->finished_bytes = bytes;
    told++;
}

static void watched(void *arg, struct sh_http_request *request)
{
    int before = told;
    sh_http_on_finished(request, finished, arg);
    handler(arg, request);
    assert_int_equal(told, before + 1); /* what the handler had may go now */
}

static int packing_setup(void **state)
{
    struct fixture *f = begin(state);
    fill();
    length = MIDDLE;
    header_name = NULL;
    leave = false;
    told = 0;
    struct sh_http_server_options options = {
        .host = "127.0.0.1",
        .pack_least = LEAST,
        .handler = watched,
        .arg = f,
        .metrics_label = "packing",
    };
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
    return 0;
}

static struct heard *ask(struct fixture *f, const char *method, const char *accept)
{
    char bytes[512];
    int len = snprintf(bytes, sizeof bytes,
                       "%s / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s\r\n",
                       method, accept ? "Accept-Encoding: " : "", accept ? accept : "",
                       accept ? "\r\n" : "");
    return exchange(f, bytes, (size_t)len);
}

static const char *body_of(const struct heard *heard, size_t *len)
{
    const char *body = strstr(heard->data, "\r\n\r\n");
    assert_non_null(body);
    *len = heard->len - (size_t)(body + 4 - heard->data);
    return body + 4;
}

static void assert_plain(struct heard *heard)
{
    size_t len;
    const char *body = body_of(heard, &len);
    assert_int_equal(status_of(heard), 200);
    assert_null(strstr(heard->data, "Content-Encoding"));
    assert_int_equal(len, length);
    assert_memory_equal(body, content, length);
    free(heard);
}

static void assert_content(struct heard *heard, const char *coding)
{
    static char out[LONG + 1];
    char line[64];
    size_t len;
    size_t got = 0;
    const char *body = body_of(heard, &len);
    assert_int_equal(status_of(heard), 200);
    (void)snprintf(line, sizeof line, "\r\nContent-Encoding: %s\r\n", coding);
    assert_int_equal(count_of(heard->data, line), 1);
    assert_int_equal(count_of(heard->data, "\r\nVary: Accept-Encoding\r\n"), 1);
    (void)snprintf(line, sizeof line, "\r\nContent-Length: %zu\r\n", len);
    assert_non_null(strstr(heard->data, line));
    assert_true(len < length);
    if (strcmp(coding, "zstd") == 0) {
        got = ZSTD_decompress(out, sizeof out, body, len);
        assert_false(ZSTD_isError(got));
    } else {
        z_stream stream = {0};
        assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
        memcpy(&stream.next_in, &body, sizeof stream.next_in); /* const, in older ones */
        stream.avail_in = (uInt)len;
        stream.next_out = (Bytef *)out;
        stream.avail_out = sizeof out;
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        got = stream.total_out;
        assert_int_equal(inflateEnd(&stream), Z_OK);
    }
    assert_int_equal(got, length);
    assert_memory_equal(out, content, length);
    free(heard);
}

static void answers_are_packed_as_asked_for(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 3; round++) { /* the packers are used again */
        length = MIDDLE;
        assert_content(ask(f, "GET", "gzip"), "gzip");
        assert_content(ask(f, "GET", "gzip, zstd"), "zstd");
        assert_true(f->finished_bytes > 0 && f->finished_bytes < MIDDLE);
        length = LONG; /* off the loop */
        assert_content(ask(f, "GET", "gzip"), "gzip");
        assert_content(ask(f, "GET", "zstd"), "zstd");
        assert_int_equal(f->finished_status, 200);
        assert_int_equal(f->finished_bytes, LONG); /* not packed yet */
    }
}

static void who_does_not_ask_gets_them_plain(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = ask(f, "GET", NULL);
    assert_int_equal(count_of(heard->data, "\r\nVary: Accept-Encoding\r\n"), 1);
    assert_plain(heard);
    assert_plain(ask(f, "GET", "br"));
    assert_plain(ask(f, "GET", "gzip;q=0"));
}

static void short_answers_are_not_packed(void **state)
{
    struct fixture *f = *state;
    length = LEAST - 1;
    struct heard *heard = ask(f, "GET", "gzip");
    assert_null(strstr(heard->data, "Vary"));
    assert_plain(heard);
    length = LEAST;
    assert_content(ask(f, "GET", "gzip"), "gzip");
}

static void what_would_not_shrink_goes_as_it_is(void **state)
{
    struct fixture *f = *state;
    uint32_t random = 7;
    for (size_t i = 0; i < LONG; i++) {
        random = random * 1664525 + 1013904223;
        content[i] = (char)(random >> 24);
    }
    assert_plain(ask(f, "GET", "gzip"));
    assert_plain(ask(f, "GET", "zstd"));
    length = LONG;
    assert_plain(ask(f, "GET", "gzip"));
}

static void head_tells_what_get_would(void **state)
{
    struct fixture *f = *state;
    const size_t lengths[] = {MIDDLE, LONG};
    for (size_t i = 0; i < SH_COUNT(lengths); i++) {
        size_t len;
        char line[64];
        length = lengths[i];
        struct heard *get = ask(f, "GET", "gzip");
        struct heard *head = ask(f, "HEAD", "gzip");
        (void)body_of(get, &len);
        (void)snprintf(line, sizeof line, "\r\nContent-Length: %zu\r\n", len);
        assert_non_null(strstr(head->data, line));
        assert_non_null(strstr(head->data, "\r\nContent-Encoding: gzip\r\n"));
        (void)body_of(head, &len);
        assert_int_equal(len, 0);
        free(get);
        free(head);
    }
}

static void secrets_are_not_packed(void **state)
{
    struct fixture *f = *state;
    header_name = "Set-Cookie";
    header_value = "session=secret";
    assert_plain(ask(f, "GET", "gzip"));
    header_name = NULL;
    leave = true;
    assert_plain(ask(f, "GET", "gzip"));
}

static void validators_are_weak_where_bytes_may_differ(void **state)
{
    struct fixture *f = *state;
    header_name = "ETag";
    header_value = "\"a\"";
    struct heard *heard = ask(f, "GET", "gzip");
    assert_non_null(strstr(heard->data, "\r\nETag: W/\"a\"\r\n"));
    assert_content(heard, "gzip");
    heard = ask(f, "GET", NULL);
    assert_non_null(strstr(heard->data, "\r\nETag: W/\"a\"\r\n"));
    assert_plain(heard);
    header_value = "W/\"a\"";
    heard = ask(f, "GET", NULL);
    assert_int_equal(count_of(heard->data, "W/"), 1);
    free(heard);
}

#define REQUEST "GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"

static void pipelined_answers_keep_their_order(void **state)
{
    static const char bytes[] =
        REQUEST REQUEST "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct fixture *f = *state;
    length = 60000;
    struct heard *heard = exchange(f, bytes, sizeof bytes - 1);
    assert_int_equal(f->calls, 3);
    assert_int_equal(heard->eof, true);
    size_t plain = 0;
    for (size_t i = 0; i + 3 < heard->len; i++)
        plain += memcmp(heard->data + i, "HTTP/1.1 200", 3) == 0;
    assert_int_equal(plain, 3);
    free(heard);
}

static void clients_may_leave_meanwhile(void **state)
{
    struct fixture *f = *state;
    length = LONG;
    for (int i = 0; i < 40; i++) {
        int fd = dial(f);
        say(fd, REQUEST);
        int calls = f->calls;
        pump_until(f, f->calls > calls);
        close(fd);
    }
    pump_until(f, sh_http_server_connections(f->server) == 0);
    assert_content(ask(f, "GET", "gzip"), "gzip");
    assert_int_equal(told, f->calls); /* each once */
}

static void the_server_may_close_meanwhile(void **state)
{
    struct fixture *f = *state;
    length = LONG;
    int fd = dial(f);
    say(fd, REQUEST);
    pump_until(f, f->calls == 1);
    sh_http_server_close(&f->server); /* the teardown sees that nothing is left */
    close(fd);
}

/* True when the answer came packed. */
static bool ask_with_failure(struct fixture *f, int after)
{
    struct heard *heard = calloc(1, sizeof(*heard));
    assert_non_null(heard);
    int fd = dial(f);
    sh_mem_fail_after(after);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            "Accept-Encoding: gzip\r\n\r\n");
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (!heard->eof && !heard->reset) {
        turn(f, deadline);
        hear_some(heard, fd);
    }
    sh_mem_fail_after(-1);
    close(fd);
    bool packed = strstr(heard->data, "Content-Encoding: gzip") != NULL;
    assert_true(packed || heard->len == 0 || status_of(heard) == 503 ||
                status_of(heard) == 200);
    if (packed)
        assert_content(heard, "gzip");
    else
        free(heard);
    return packed;
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    const size_t lengths[] = {MIDDLE, LONG};
    for (size_t i = 0; i < SH_COUNT(lengths); i++) {
        int failures = 0;
        length = lengths[i];
        while (!ask_with_failure(f, failures))
            assert_true(++failures < 100);
        assert_true(failures > 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, packing_setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_coding_is_chosen_by_weight),
        cmocka_unit_test(only_text_is_packed),
        TEST(answers_are_packed_as_asked_for),
        TEST(who_does_not_ask_gets_them_plain),
        TEST(short_answers_are_not_packed),
        TEST(what_would_not_shrink_goes_as_it_is),
        TEST(head_tells_what_get_would),
        TEST(secrets_are_not_packed),
        TEST(validators_are_weak_where_bytes_may_differ),
        TEST(pipelined_answers_keep_their_order),
        TEST(clients_may_leave_meanwhile),
        TEST(the_server_may_close_meanwhile),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("http_packing", tests, NULL, NULL);
}
