/* Streamed answers, and readers that are slow or leave. */
#include "http_fixture.h"

static void count_abort(void *arg)
{
    struct fixture *f = arg;
    f->aborts++;
    f->request = NULL;
}

static void wait_for_test(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
}

static void stream_out(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_begin(request, 200, "text/plain");
    assert_true(sh_http_send(request, sh_bytes_of("hello ")));
    assert_true(sh_http_send(request, (struct sh_bytes){0}));
    assert_true(sh_http_send(request, sh_bytes_of("streaming world")));
    sh_http_end(request);
}

static void answers_are_chunked_for_1_1(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, stream_out);
    int fd = dial(f);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    hear_end(f, fd, heard);
    assert_int_equal(f->calls, 3);
    char *second = strstr(heard->data + 1, "HTTP/1.1 200");
    assert_non_null(second);
    char *third = strstr(second + 1, "HTTP/1.1 200");
    assert_non_null(third);
    second[-1] = third[-1] = '\0';
    assert_non_null(strstr(heard->data, "Transfer-Encoding: chunked\r\n"));
    assert_null(strstr(heard->data, "Content-Length"));
    assert_string_equal(strstr(heard->data, "\r\n\r\n") + 4,
                        "6\r\nhello \r\nf\r\nstreaming world\r\n0\r\n\r");
    assert_string_equal(strstr(second, "\r\n\r"), "\r\n\r"); /* HEAD: nothing follows */
    assert_string_equal(strstr(third, "\r\n\r\n") + 4, "hello streaming world");
    assert_non_null(strstr(third, "Connection: close\r\n"));
    assert_null(strstr(third, "chunked"));
    close(fd);
    free(heard);
}

static void stream_sized(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    bool is_short = sh_bytes_is(sh_http_path(request), "/short");

    f->calls++;
    sh_http_begin_sized(request, 206, "text/plain", 11);
    (void)sh_http_send(request, sh_bytes_of("hello "));
    if (!is_short)
        (void)sh_http_send(request, sh_bytes_of("world and more"));
    sh_http_end(request);
}

static void a_declared_length_is_kept(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, stream_sized);
    int fd = dial(f);
    say(fd, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
            "GET /short HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_end(f, fd, heard);
    assert_int_equal(f->calls, 3); /* cut off after the one that was too short */
    char *second = strstr(heard->data + 1, "HTTP/1.1 206");
    assert_non_null(second);
    char *third = strstr(second + 1, "HTTP/1.1 206");
    assert_non_null(third);
    assert_string_equal(strstr(third, "\r\n\r\n") + 4, "hello ");
    second[-1] = third[-1] = '\0';
    assert_non_null(strstr(heard->data, "Content-Length: 11\r\n"));
    assert_string_equal(strstr(heard->data, "\r\n\r"), "\r\n\r");
    assert_null(strstr(second, "chunked"));
    assert_memory_equal(strstr(second, "\r\n\r\n") + 4, "hello worl", 10);
    close(fd);
    free(heard);
}

struct pump { /* sends until told to stop, goes on when drained */
    struct fixture *f;
    struct sh_http_request *request;
    size_t sent;
    size_t total;
    int stops;
};

static struct pump pump;

static void send_more(void *arg)
{
    static char block[16384];
    struct pump *p = arg;
    while (p->sent < p->total) {
        memset(block, 'a' + (int)(p->sent / sizeof(block) % 26), sizeof(block));
        p->sent += sizeof(block);
        if (!sh_http_send(p->request, (struct sh_bytes){block, sizeof(block)})) {
            p->stops++;
            return;
        }
    }
    sh_http_end(p->request);
    p->request = NULL;
}

static void abort_pump(void *arg)
{
    struct pump *p = arg;
    p->f->aborts++;
    p->request = NULL;
}

static void stream_much(void *arg, struct sh_http_request *request)
{
    pump = (struct pump){.f = arg, .request = request, .total = 8 << 20};
    sh_http_on_drained(request, send_more, &pump);
    sh_http_on_abort(request, abort_pump, &pump);
    sh_http_begin(request, 200, NULL);
    send_more(&pump);
}

static void a_slow_reader_holds_the_sender_back(void **state)
{
    struct fixture *f = *state;
    char taken[65536];
    size_t total = 0;
    serve_with(f, stream_much, (struct sh_http_limits){.write_buffer = 65536});
    int fd = dial_with(f, 65536);
    say(fd, "GET / HTTP/1.0\r\n\r\n");
    pump_until(f, pump.stops == 1);
    pump_for(f, 20);
    assert_true(pump.sent < pump.total);
    uint64_t start = sh_now_ms();
    size_t last = 0;
    for (ssize_t got = 1; got != 0;) {
        got = recv(fd, taken, sizeof(taken), MSG_DONTWAIT);
        if (got > 0)
            last = (size_t)got;
        total += got > 0 ? (size_t)got : 0;
        turn(f, start + PATIENCE_MS);
    }
    assert_true(total > pump.total);
    assert_int_equal(taken[last - 1], 'a' + (int)((pump.total / 16384 - 1) % 26));
    assert_true(pump.stops > 1);
    assert_int_equal(f->aborts, 0);
    close(fd);
}

static void a_reader_that_leaves_aborts_the_stream(void **state)
{
    struct fixture *f = *state;
    serve_with(f, stream_much, (struct sh_http_limits){.write_buffer = 65536});
    int fd = dial_with(f, 4096);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, pump.stops == 1);
    close(fd);
    pump_until(f, f->aborts == 1);
    pump_until(f, sh_http_server_connections(f->server) == 0);
}

/* The reader has gone, the handler finds out by sending; never from inside send. */
static void sending_to_nobody_aborts_later(void **state)
{
    struct fixture *f = *state;
    serve(f, wait_for_test);
    int fd = dial(f);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, f->calls == 1);
    sh_http_on_abort(f->request, count_abort, f);
    sh_http_begin(f->request, 200, NULL);
    close(fd);
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (f->aborts == 0) {
        (void)sh_http_send(f->request, sh_bytes_of("x"));
        assert_int_equal(f->aborts, 0);
        turn(f, deadline);
    }
    pump_until(f, sh_http_server_connections(f->server) == 0);
}

static void an_answer_that_fails_midway_does_not_look_whole(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, wait_for_test);
    int fd = dial(f);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, f->calls == 1);
    sh_http_begin(f->request, 200, NULL);
    (void)sh_http_send(f->request, sh_bytes_of("half"));
    sh_http_fail_err(f->request, SH_INTERNAL, NULL);
    hear_end(f, fd, heard);
    assert_non_null(strstr(heard->data, "4\r\nhalf\r\n"));
    assert_null(strstr(heard->data, "\r\n0\r\n\r\n"));
    assert_null(strstr(heard->data, "problem"));
    close(fd);
    free(heard);
}

/* Reading and answering at the same time, as a batch does. */
static void echo_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                       struct sh_bytes piece)
{
    struct fixture *f = arg;
    assert_int_equal(err, SH_OK);
    f->calls++;
    if (piece.len > 0)
        (void)sh_http_send(request, piece);
    else
        sh_http_end(request);
}

static void echo_stream(void *arg, struct sh_http_request *request)
{
    sh_http_begin(request, 200, NULL);
    sh_http_read_stream(request, 1000, echo_piece, arg);
}

static void a_body_and_an_answer_can_flow_at_once(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, echo_stream);
    int fd = dial(f);
    say(fd,
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    hear(f, fd, heard, "\r\n3\r\none\r\n");
    say(fd, "3\r\ntwo\r\n");
    hear(f, fd, heard, "\r\n3\r\ntwo\r\n");
    say(fd, "0\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnext");
    hear(f, fd, heard, "4\r\nnext\r\n0\r\n\r\n");
    close(fd);
    free(heard);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answers_are_chunked_for_1_1),
        TEST(a_declared_length_is_kept),
        TEST(a_slow_reader_holds_the_sender_back),
        TEST(a_reader_that_leaves_aborts_the_stream),
        TEST(sending_to_nobody_aborts_later),
        TEST(an_answer_that_fails_midway_does_not_look_whole),
        TEST(a_body_and_an_answer_can_flow_at_once),
    };
    return cmocka_run_group_tests_name("http_stream", tests, NULL, NULL);
}
