/* Request bodies: piece by piece, paused, too large, expected. */
#include "http_fixture.h"

struct streaming {
    struct fixture f; /* must be first: handlers get either */
    char body[4096];
    size_t len;
    int ends;
    enum sh_err err;
    bool pause_each;
    bool answer_early;
};

static struct streaming *of(struct fixture *f)
{
    return (struct streaming *)f;
}

static int setup_streaming(void **state)
{
    struct streaming *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    assert_int_equal(uv_loop_init(&s->f.loop), 0);
    *state = &s->f;
    return 0;
}

static void count_abort(void *arg)
{
    struct fixture *f = arg;
    f->aborts++;
    f->request = NULL;
}

static void take_piece(void *arg, struct sh_http_request *request, enum sh_err err,
                       struct sh_bytes piece)
{
    struct streaming *s = arg;
    s->err = err;
    if (err != SH_OK) {
        s->ends++;
        sh_http_fail_err(request, err, NULL);
    } else if (piece.len == 0) {
        s->ends++;
        sh_http_respond(request, 200, NULL, (struct sh_bytes){s->body, s->len});
    } else if (s->answer_early) {
        sh_http_fail_err(request, SH_INVALID, "enough");
    } else {
        assert_true(s->len + piece.len <= sizeof(s->body));
        memcpy(s->body + s->len, piece.data, piece.len);
        s->len += piece.len;
        if (s->pause_each)
            sh_http_pause(request);
    }
}

static void stream_in(void *arg, struct sh_http_request *request)
{
    struct streaming *s = arg;
    s->f.calls++;
    s->f.request = request;
    sh_http_on_abort(request, count_abort, &s->f);
    sh_http_read_stream(request, 100, take_piece, s);
    assert_int_equal(s->len, 0); /* never from inside */
}

static const char chunks[] =
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    "\r\n3\r\nabc\r\n2\r\nde\r\n4\r\nfghi\r\n0\r\n\r\n";

static void pieces_come_and_then_the_end(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, stream_in);
    int fd = dial(f);
    say(fd, chunks);
    hear(f, fd, heard, "\r\n\r\nabcdefghi");
    assert_int_equal(of(f)->ends, 1);
    of(f)->len = 0;
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12");
    pump_until(f, of(f)->len == 2);
    say(fd, "34");
    hear(f, fd, heard, "\r\n\r\n1234");
    of(f)->len = 0;
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    pump_until(f, of(f)->ends == 3);
    close(fd);
    free(heard);
}

static void no_piece_comes_while_paused(void **state)
{
    static const size_t after[] = {3, 5, 9};
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, stream_in);
    of(f)->pause_each = true;
    int fd = dial(f);
    say(fd, chunks);
    for (size_t i = 0; i < SH_COUNT(after); i++) {
        pump_until(f, of(f)->len == after[i]);
        pump_for(f, 10);
        assert_int_equal(of(f)->len, after[i]);
        assert_int_equal(of(f)->ends, 0);
        sh_http_resume(f->request);
        assert_int_equal(of(f)->len, after[i]);
    }
    hear(f, fd, heard, "\r\n\r\nabcdefghi");
    close(fd);
    free(heard);
}

static void stream_paused(void *arg, struct sh_http_request *request)
{
    struct streaming *s = arg;
    s->f.calls++;
    sh_http_read_stream(request, UINT64_MAX, take_piece, s);
    sh_http_pause(request);
}

/* A paused reader pushes back on the sender: the socket fills and takes no more. */
static void a_paused_body_stays_with_the_sender(void **state)
{
    struct fixture *f = *state;
    char block[65536] = {0};
    size_t sent = 0;
    serve(f, stream_paused);
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
    pump_until(f, f->calls == 1);
    for (int refused = 0; refused < 20;) {
        ssize_t got = send(fd, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(got > 0 || errno == EAGAIN);
        refused = got > 0 ? 0 : refused + 1;
        sent += got > 0 ? (size_t)got : 0;
        assert_true(sent < 100000000);
        pump_for(f, 1);
    }
    close(fd);
}

static void a_stream_over_its_limit_ends(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    char long_body[200] = {0};
    serve(f, stream_in);
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n");
    say_bytes(fd, long_body, 0x40);
    say(fd, "\r\n40\r\n");
    say_bytes(fd, long_body, 0x40);
    hear(f, fd, heard, "too_large");
    assert_int_equal(of(f)->err, SH_TOOBIG);
    assert_int_equal(of(f)->ends, 1);
    assert_int_equal(status_of(heard), 413);
    close(fd);
    free(heard);
}

static void a_handler_may_answer_in_the_middle(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, stream_in);
    of(f)->answer_early = true;
    int fd = dial(f);
    say(fd, chunks);
    hear(f, fd, heard, "enough");
    say(fd, chunks); /* the rest was all there: the connection lives */
    pump_until(f, (hear_some(heard, fd), count_of(heard->data, "\"enough\"") == 4));
    assert_int_equal(of(f)->ends, 0);
    assert_int_equal(f->aborts, 0);
    close(fd);
    free(heard);
}

static void a_client_that_resets_aborts(void **state)
{
    static const struct linger hard = {.l_onoff = 1};
    struct fixture *f = *state;
    serve(f, stream_in);
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12");
    pump_until(f, of(f)->len == 2);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
    close(fd);
    pump_until(f, f->aborts == 1);
    pump_until(f, sh_http_server_connections(f->server) == 0);
    assert_int_equal(of(f)->ends, 0);
}

/* --- 100-continue ----------------------------------------------------------------- */

static void wait_for_test(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
}

static const char expecting[] =
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";

static void continue_is_sent_when_the_body_is_wanted(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, wait_for_test);
    int fd = dial(f);
    say(fd, expecting);
    pump_until(f, f->calls == 1);
    pump_for(f, 10);
    hear_some(heard, fd);
    assert_int_equal(heard->len, 0);
    sh_http_read_all(f->request, 100, take_piece, of(f)); /* an empty body ends it */
    hear(f, fd, heard, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "abc");
    pump_until(f, of(f)->len == 3);
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("done"));
    hear(f, fd, heard, "\r\n\r\ndone");
    assert_null(strstr(heard->data, "Connection: close"));
    close(fd);
    free(heard);
}

static void without_it_the_refusal_closes(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, wait_for_test);
    int fd = dial(f);
    say(fd, expecting);
    pump_until(f, f->calls == 1);
    sh_http_fail_err(f->request, SH_FORBIDDEN, NULL);
    hear_end(f, fd, heard);
    assert_int_equal(status_of(heard), 403);
    assert_non_null(strstr(heard->data, "Connection: close\r\n"));
    close(fd);
    free(heard);
}

static void a_body_declared_too_big_is_not_asked_for(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, wait_for_test);
    int fd = dial(f);
    say(fd, expecting);
    pump_until(f, f->calls == 1);
    sh_http_read_all(f->request, 2, take_piece, of(f));
    hear_end(f, fd, heard);
    assert_int_equal(status_of(heard), 413);
    close(fd);
    free(heard);
}

static void close_server(void *arg)
{
    struct fixture *f = arg;
    sh_http_server_close(&f->server);
}

static void a_server_may_be_closed_by_a_handler_s_abort(void **state)
{
    struct fixture *f = *state;
    serve_with(f, wait_for_test, (struct sh_http_limits){.body_timeout_ms = 20});
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12");
    pump_until(f, f->calls == 1);
    sh_http_on_abort(f->request, close_server, f);
    sh_http_read_all(f->request, 10, take_piece, of(f));
    pump_until(f, f->server == NULL);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_streaming, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pieces_come_and_then_the_end),
        TEST(no_piece_comes_while_paused),
        TEST(a_paused_body_stays_with_the_sender),
        TEST(a_stream_over_its_limit_ends),
        TEST(a_handler_may_answer_in_the_middle),
        TEST(a_client_that_resets_aborts),
        TEST(a_server_may_be_closed_by_a_handler_s_abort),
        TEST(continue_is_sent_when_the_body_is_wanted),
        TEST(without_it_the_refusal_closes),
        TEST(a_body_declared_too_big_is_not_asked_for),
    };
    return cmocka_run_group_tests_name("http_body", tests, NULL, NULL);
}
