/* Sizes, numbers and times are bounded, and a drain loses nothing. */
#include "http_fixture.h"

static void ok(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_respond(request, 200, "text/plain", sh_bytes_of("hello"));
}

static void later(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    f->request = request;
}

static void count_abort(void *arg)
{
    struct fixture *f = arg;
    f->aborts++;
}

static void read_body(void *arg, struct sh_http_request *request, enum sh_err err,
                      struct sh_bytes body)
{
    (void)arg;
    if (err == SH_OK)
        sh_http_respond(request, 200, "text/plain", body);
    else
        sh_http_fail_err(request, err, NULL);
}

static void reading(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_on_abort(request, count_abort, f);
    sh_http_read_all(request, 10, read_body, f);
}

/* "GET /aaa… HTTP/1.1", its line `line` bytes, and `headers` more lines, `total` in all
 */
static int status_for(struct fixture *f, size_t line, size_t headers, size_t total)
{
    char *bytes = calloc(1, 1 << 16);
    assert_non_null(bytes);
    size_t at = (size_t)sprintf(bytes, "GET /");
    while (at < line - 9)
        bytes[at++] = 'a';
    at += (size_t)sprintf(bytes + at, " HTTP/1.1\r\nHost: x\r\n");
    for (size_t i = 0; i < headers; i++)
        at += (size_t)sprintf(bytes + at, "X: y\r\n");
    if (total > 0) {
        at += (size_t)sprintf(bytes + at, "P: ");
        while (at < total - 4)
            bytes[at++] = 'a';
        at += (size_t)sprintf(bytes + at, "\r\n");
    }
    at += (size_t)sprintf(bytes + at, "\r\n");
    int fd = dial(f);
    struct heard *heard = calloc(1, sizeof(*heard));
    assert_non_null(heard);
    say_bytes(fd, bytes, at);
    hear(f, fd, heard, "\r\n\r\n");
    int status = status_of(heard);
    if (status != 200)
        assert_non_null(strstr(heard->data, "Connection: close\r\n"));
    close(fd);
    free(heard);
    free(bytes);
    return status;
}

static void heads_have_a_size_and_a_number(void **state)
{
    struct fixture *f = *state;
    serve_with(f, ok, (struct sh_http_limits){.head_bytes = 2048, .headers = 10});
    assert_int_equal(status_for(f, 1022, 0, 0), 200);
    assert_int_equal(status_for(f, 1030, 0, 0), 414);
    assert_int_equal(status_for(f, 20, 9, 0), 200);
    assert_int_equal(status_for(f, 20, 10, 0), 431);
    assert_int_equal(status_for(f, 20, 0, 2047), 200);
    assert_int_equal(status_for(f, 20, 0, 2060), 431);
    assert_int_equal(status_for(f, 20, 0, 40000), 431);
}

static void the_defaults_hold(void **state)
{
    struct fixture *f = *state;
    serve(f, ok);
    assert_int_equal(status_for(f, 8190, 0, 0), 200);
    assert_int_equal(status_for(f, 8300, 0, 0), 414);
    assert_int_equal(status_for(f, 20, 63, 0), 200);
    assert_int_equal(status_for(f, 20, 64, 0), 431);
    assert_int_equal(status_for(f, 20, 0, 16380), 200);
    assert_int_equal(status_for(f, 20, 0, 16400), 431);
}

/* The answer arrives although the client goes on sending. */
static void a_body_over_the_limit_is_413(void **state)
{
    struct fixture *f = *state;
    static char big[100000];
    memset(big, 'x', sizeof(big));
    serve(f, reading);
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    };
    for (size_t i = 0; i < SH_COUNT(heads); i++) {
        struct heard *heard = calloc(1, sizeof(*heard));
        int fd = dial(f);
        say(fd, heads[i]);
        say_bytes(fd, big, sizeof(big));
        hear(f, fd, heard, "\"code\":\"too_large\"");
        assert_int_equal(status_of(heard), 413);
        assert_non_null(strstr(heard->data, "Connection: close\r\n"));
        say_bytes(fd, big, sizeof(big));
        hear_end(f, fd, heard);
        close(fd);
        free(heard);
    }
    assert_int_equal(f->aborts, 0);
}

/* A little left over is read and thrown away, and the connection lives on. */
static void a_small_unread_body_costs_no_connection(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, ok);
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    hear(f, fd, heard, "hello");
    say(fd, "defg");
    pump_for(f, 5);
    say(fd, "hijGET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\n"
            "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    hear_end(f, fd, heard);
    assert_int_equal(count_of(heard->data, "HTTP/1.1 200"), 4);
    assert_int_equal(f->calls, 4);
    close(fd);
    free(heard);
}

/* --- time ------------------------------------------------------------------------- */

static void a_slow_head_is_408(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve_with(f, ok, (struct sh_http_limits){.head_timeout_ms = 80});
    int fd = dial(f);
    uint64_t start = sh_now_ms();
    say(fd, "GET / HTTP/1.1\r\n");
    while (!strstr(heard->data, "request_timeout")) { /* dripping does not help */
        if (sh_now_ms() - start < 60)
            (void)send(fd, "X", 1, MSG_NOSIGNAL);
        pump_for(f, 2);
        assert_true(sh_now_ms() - start < PATIENCE_MS);
        hear_some(heard, fd);
    }
    assert_true(sh_now_ms() - start >= 60);
    assert_int_equal(status_of(heard), 408);
    hear_end(f, fd, heard);
    close(fd);
    free(heard);
}

static void a_slow_body_is_408_and_aborts(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve_with(f, reading, (struct sh_http_limits){.body_timeout_ms = 50});
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na");
    hear(f, fd, heard, "request_timeout");
    assert_int_equal(status_of(heard), 408);
    assert_int_equal(f->aborts, 1);
    hear_end(f, fd, heard);
    close(fd);
    free(heard);
}

static void reading_more(void *arg, struct sh_http_request *request)
{
    struct fixture *f = arg;
    f->calls++;
    sh_http_on_abort(request, count_abort, f);
    sh_http_read_all(request, 1000, read_body, f);
}

/* Something comes all the time, but never enough. */
static void a_trickled_body_is_408(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve_with(f, reading_more, (struct sh_http_limits){.body_timeout_ms = 100});
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (!strstr(heard->data, "request_timeout")) {
        (void)send(fd, "a", 1, MSG_NOSIGNAL); /* the end may have come */
        pump_for(f, 2);
        turn(f, deadline);
        hear_some(heard, fd);
    }
    assert_int_equal(status_of(heard), 408);
    assert_int_equal(f->aborts, 1);
    close(fd);
    free(heard);
}

static void a_handler_may_take_its_time(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve_with(f, later,
               (struct sh_http_limits){.head_timeout_ms = 20,
                                       .body_timeout_ms = 20,
                                       .idle_timeout_ms = 20,
                                       .write_timeout_ms = 20});
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"); /* unasked */
    pump_until(f, f->calls == 1);
    pump_for(f, 100);
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("late"));
    hear(f, fd, heard, "late");
    close(fd);
    free(heard);
}

static void idle_connections_end_quietly(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    struct heard *nothing = calloc(1, sizeof(*nothing));
    serve_with(f, ok, (struct sh_http_limits){.idle_timeout_ms = 50});
    int silent = dial(f);
    int fd = dial(f);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_end(f, fd, heard);
    hear_end(f, silent, nothing);
    assert_int_equal(count_of(heard->data, "HTTP/1.1"), 1);
    assert_int_equal(nothing->len, 0);
    pump_until(f, sh_http_server_connections(f->server) == 0);
    close(fd);
    close(silent);
    free(heard);
    free(nothing);
}

static void huge(void *arg, struct sh_http_request *request)
{
    static char body[8 << 20];
    struct fixture *f = arg;
    f->calls++;
    sh_http_respond(request, 200, NULL, (struct sh_bytes){body, sizeof(body)});
}

static void a_reader_that_takes_nothing_is_closed(void **state)
{
    struct fixture *f = *state;
    serve_with(f, huge, (struct sh_http_limits){.write_timeout_ms = 60});
    int fd = dial_with(f, 4096);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, f->calls == 1);
    assert_int_equal(sh_http_server_connections(f->server), 1);
    pump_until(f, sh_http_server_connections(f->server) == 0);
    assert_int_equal(f->calls, 1); /* the next request waited for room */
    close(fd);
}

/* For longer than the limit it takes no more than a megabyte in half a second, then the
 * rest. By time and not by turns: the kernel tells the server of room only when there is
 * much. Gives the longest pause between two of its reads. */
static uint64_t read_slowly(struct fixture *f, int fd, uint64_t slow_ms, size_t *total)
{
    enum { A_MS = 2048 };
    static char taken[1 << 20];
    uint64_t start = sh_now_ms();
    uint64_t last = start;
    uint64_t longest = 0;
    for (ssize_t got = 1; got != 0;) {
        uint64_t now = sh_now_ms();
        bool slow = now - start < slow_ms;
        size_t due = (size_t)(now - last + 1) * A_MS;
        longest = now - last > longest ? now - last : longest;
        last = now;
        got = recv(fd, taken, slow && due < sizeof(taken) ? due : sizeof(taken),
                   MSG_DONTWAIT);
        if (got < 0 && errno == ECONNRESET)
            break;
        assert_true(got >= 0 || errno == EAGAIN);
        *total += got > 0 ? (size_t)got : 0;
        pump_for(f, slow ? 2 : 0);
        turn(f, start + PATIENCE_MS);
    }
    return longest;
}

/* Where the machine kept the reader itself from reading, the attempt says nothing. */
static void a_slow_reader_is_not(void **state)
{
    struct fixture *f = *state;
    uint64_t limit_ms = 150;
    uint64_t longest = UINT64_MAX;
    size_t total = 0;
    while (longest > limit_ms / 2 && total <= (8 << 20)) {
        limit_ms *= 2;
        total = 0;
        serve_with(f, huge, (struct sh_http_limits){.write_timeout_ms = limit_ms});
        int fd = dial_with(f, 65536);
        say(fd, "GET / HTTP/1.0\r\n\r\n");
        longest = read_slowly(f, fd, 3 * limit_ms, &total);
        close(fd);
        sh_http_server_close(&f->server);
    }
    assert_true(total > (8 << 20));
}

/* --- number ----------------------------------------------------------------------- */

static void connections_over_the_limit_are_told_503(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    struct heard *extra = calloc(1, sizeof(*extra));
    serve_with(f, ok, (struct sh_http_limits){.connections = 2});
    int fds[3];
    for (size_t i = 0; i < SH_COUNT(fds); i++)
        fds[i] = dial(f);
    hear(f, fds[2], extra, "\"code\":\"overloaded\"");
    assert_int_equal(status_of(extra), 503);
    assert_non_null(strstr(extra->data, "Retry-After: 1\r\n"));
    hear_end(f, fds[2], extra);
    say(fds[1], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(f, fds[1], heard, "hello");
    close(fds[2]);
    close(fds[1]);
    pump_until(f, sh_http_server_connections(f->server) == 1);
    fds[1] = dial(f); /* room again */
    say(fds[1], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, (hear_some(heard, fds[1]), count_of(heard->data, "hello") == 2));
    close(fds[1]);
    close(fds[0]);
    free(heard);
    free(extra);
}

struct door { /* lets two in at a time */
    int inside;
    int asked;
    char peer[64];
};

static bool admit(void *arg, const char *peer)
{
    struct door *door = arg;
    door->asked++;
    (void)snprintf(door->peer, sizeof(door->peer), "%s", peer);
    if (door->inside >= 2)
        return false;
    door->inside++;
    return true;
}

static void let_out(void *arg, const char *peer)
{
    struct door *door = arg;
    assert_string_equal(peer, door->peer);
    door->inside--;
}

static void a_door_may_refuse_connections(void **state)
{
    struct fixture *f = *state;
    struct door door = {0};
    struct heard *heard = calloc(1, sizeof(*heard));
    struct sh_http_server_options options = {.host = "127.0.0.1",
                                             .handler = ok,
                                             .arg = f,
                                             .admit = admit,
                                             .left = let_out,
                                             .admit_arg = &door};
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
    int fds[3];
    for (size_t i = 0; i < SH_COUNT(fds); i++)
        fds[i] = dial(f);
    hear(f, fds[2], heard, "\"code\":\"too_many_connections\"");
    assert_int_equal(status_of(heard), 503);
    assert_non_null(strstr(heard->data, "Retry-After: 1\r\n"));
    hear_end(f, fds[2], heard);
    assert_string_equal(door.peer, "127.0.0.1");
    close(fds[0]);
    pump_until(f, door.inside == 1); /* who was refused does not count */
    close(fds[2]);
    fds[0] = dial(f); /* room again */
    say(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    *heard = (struct heard){0};
    hear(f, fds[0], heard, "hello");
    assert_int_equal(door.asked, 4);
    sh_http_server_close(&f->server);
    assert_int_equal(door.inside, 0);
    close(fds[0]);
    close(fds[1]);
    free(heard);
}

/* Those that are over the number that are told are closed without a word. */
static void a_door_is_not_stormed(void **state)
{
    struct fixture *f = *state;
    struct door door = {.inside = 2};
    enum { STORM = 300 };
    struct sh_http_server_options options = {.host = "127.0.0.1",
                                             .handler = ok,
                                             .arg = f,
                                             .admit = admit,
                                             .left = let_out,
                                             .admit_arg = &door};
    int fds[STORM];
    assert_int_equal(sh_http_server_create(&f->loop, &options, &f->server), SH_OK);
    for (size_t i = 0; i < STORM; i++)
        fds[i] = dial(f);
    pump_until(f, door.asked == STORM);
    assert_in_range(sh_http_server_connections(f->server), 1, 128);
    for (size_t i = 0; i < STORM; i++)
        close(fds[i]);
    pump_until(f, sh_http_server_connections(f->server) == 0);
    assert_int_equal(door.inside, 2);
}

/* --- draining --------------------------------------------------------------------- */

static void note_drained(void *arg)
{
    struct fixture *f = arg;
    f->drained = true;
}

static void a_drain_loses_nothing(void **state)
{
    struct fixture *f = *state;
    enum { WAITING = 20 };
    struct heard *heard[WAITING + 2];
    int fds[WAITING + 2];
    for (size_t i = 0; i < SH_COUNT(fds); i++)
        heard[i] = calloc(1, sizeof(*heard[i]));
    serve(f, ok);
    fds[0] = dial(f); /* idle, with a request that the loop has not seen */
    fds[1] = dial(f); /* idle */
    pump_until(f, sh_http_server_connections(f->server) == 2);
    say(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    for (size_t i = 2; i < SH_COUNT(fds); i++) { /* in the kernel's queue only */
        fds[i] = dial(f);
        say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    sh_http_server_drain(f->server, note_drained, f);
    assert_false(f->drained);
    for (size_t i = 0; i < SH_COUNT(fds); i++) {
        hear_end(f, fds[i], heard[i]);
        if (i != 1) {
            assert_int_equal(status_of(heard[i]), 200);
            assert_non_null(strstr(heard[i]->data, "Connection: close\r\n"));
        }
        close(fds[i]);
        free(heard[i]);
    }
    pump_until(f, f->drained);
    assert_int_equal(f->calls, WAITING + 1);
}

static void a_drain_waits_for_answers(void **state)
{
    struct fixture *f = *state;
    struct heard *heard = calloc(1, sizeof(*heard));
    serve(f, later);
    int fd = dial(f);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, f->calls == 1);
    sh_http_server_drain(f->server, note_drained, f);
    pump_for(f, 20);
    assert_false(f->drained);
    sh_http_respond(f->request, 200, NULL, sh_bytes_of("late"));
    hear_end(f, fd, heard);
    assert_non_null(strstr(heard->data, "Connection: close\r\n"));
    pump_until(f, f->drained);
    close(fd);
    free(heard);
}

static void a_drain_of_nothing_ends_at_once(void **state)
{
    struct fixture *f = *state;
    serve(f, ok);
    sh_http_server_drain(f->server, note_drained, f);
    assert_false(f->drained);
    pump_until(f, f->drained);
}

static void closing_aborts_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    serve(f, reading);
    int fd = dial(f);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na");
    pump_until(f, f->calls == 1);
    sh_http_server_close(&f->server);
    assert_null(f->server);
    assert_int_equal(f->aborts, 1);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(heads_have_a_size_and_a_number),
        TEST(the_defaults_hold),
        TEST(a_body_over_the_limit_is_413),
        TEST(a_small_unread_body_costs_no_connection),
        TEST(a_slow_head_is_408),
        TEST(a_slow_body_is_408_and_aborts),
        TEST(a_trickled_body_is_408),
        TEST(a_handler_may_take_its_time),
        TEST(idle_connections_end_quietly),
        TEST(a_reader_that_takes_nothing_is_closed),
        TEST(a_slow_reader_is_not),
        TEST(connections_over_the_limit_are_told_503),
        TEST(a_door_may_refuse_connections),
        TEST(a_door_is_not_stormed),
        TEST(a_drain_loses_nothing),
        TEST(a_drain_waits_for_answers),
        TEST(a_drain_of_nothing_ends_at_once),
        TEST(closing_aborts_what_is_under_way),
    };
    return cmocka_run_group_tests_name("http_limits", tests, NULL, NULL);
}
