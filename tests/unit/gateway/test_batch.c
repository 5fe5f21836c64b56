#include "gateway_fixture.h"

static const char start[] = "POST /api/documents/batch?wait=true HTTP/1.1\r\nHost: x\r\n"
                            "Connection: close\r\nTransfer-Encoding: chunked\r\n"
                            "Content-Type: application/x-ndjson\r\n\r\n";

static void say_chunk(int fd, const char *text)
{
    char size[32];
    (void)snprintf(size, sizeof size, "%zx\r\n", strlen(text));
    say(fd, size);
    say(fd, text);
    say(fd, "\r\n");
}

static void say_document(int fd, int number)
{
    char line[128];
    (void)snprintf(line, sizeof line, "{\"id\":\"d%d\",\"title\":\"t\",\"text\":\"x\"}\n",
                   number);
    say_chunk(fd, line);
}

/* Where the result of the line stands; fails when it is missing. */
static size_t place_of(struct fixture *f, int line)
{
    char text[32];
    (void)snprintf(text, sizeof text, "{\"line\":%d,", line);
    const char *found = strstr(f->heard, text);
    if (found == NULL)
        fail_msg("no line %d in: %s", line, f->heard);
    return (size_t)(found - f->heard);
}

static int results(const struct fixture *f)
{
    int count = 0;
    for (const char *at = f->heard; (at = strstr(at, "{\"line\":")) != NULL; at++)
        count++;
    return count;
}

static void a_bad_line_does_not_stop_the_rest(void **state)
{
    struct fixture *f = *state;
    const char *answer = post(f, "/api/documents/batch?wait=true", "",
                              "{\"id\":\"a\",\"title\":\"t\",\"text\":\"x\"}\r\n"
                              "{not json\n"
                              "\n"
                              "{\"id\":\"b\",\"title\":5,\"text\":\"x\"}\n"
                              "{\"id\":\"c\",\"title\":\"t\",\"text\":\"\xff\"}\n"
                              "{\"id\":\"d\",\"title\":\"same\",\"text\":\"x\"}");
    assert_says(answer, "HTTP/1.1 200 OK");
    assert_says(answer, "application/x-ndjson");
    assert_says(answer, "{\"line\":1,\"status\":\"created\",\"document_id\":\"a\","
                        "\"chunks\":2,\"visible\":true}\n");
    assert_says(answer, "{\"line\":2,\"status\":\"error\",\"error\":{");
    assert_says(answer, "{\"line\":4,\"status\":\"error\"");
    assert_says(answer, "\"field\":\"title\"");
    assert_says(answer, "{\"line\":5,\"status\":\"error\"");
    assert_says(answer, "{\"line\":6,\"status\":\"unchanged\",\"document_id\":\"d\"");
    assert_int_equal(results(f), 5);
    assert_int_equal(f->puts, 2);
}

static void results_keep_the_order_of_the_lines(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    int fd = dial(f);
    say(fd, start);
    for (int i = 1; i <= WINDOW; i++)
        say_document(fd, i);
    pump_until(f, f->held_count == WINDOW);
    for (size_t left = WINDOW; left > 0; left--)
        answer_held(f, left - 1);
    say(fd, "0\r\n\r\n");
    pump_until(f, (heard(f, fd, "\r\n"), f->heard_end));
    for (int i = 1; i < WINDOW; i++)
        assert_true(place_of(f, i) < place_of(f, i + 1));
    close(fd);
}

static void lines_with_one_id_are_stored_in_their_order(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    int fd = dial(f);
    say(fd, start);
    say_document(fd, 1);
    say_document(fd, 1);
    say_document(fd, 2);
    say_document(fd, 1);
    say(fd, "0\r\n\r\n");
    pump_until(f, f->held_count == 2); /* the first and the one with another id */
    answer_held(f, 1);
    for (int puts = 1; puts < 4; puts++) {
        pump_until(f, f->held_count > 0);
        assert_int_equal(f->held_count, 1);
        answer_held(f, 0);
    }
    pump_until(f, (heard(f, fd, "\r\n"), f->heard_end));
    assert_int_equal(results(f), 4);
    close(fd);
}

static void a_byte_order_mark_is_skipped(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        post(f, "/api/documents/batch?wait=true", "",
             "\xef\xbb\xbf{\"id\":\"a\",\"title\":\"t\",\"text\":\"x\"}");
    assert_says(answer, "{\"line\":1,\"status\":\"created\"");
}

static void a_result_comes_before_the_next_line_is_sent(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    say(fd, start);
    say_document(fd, 1);
    pump_until(f, heard(f, fd, "{\"line\":1,"));
    say_document(fd, 2);
    pump_until(f, heard(f, fd, "{\"line\":2,"));
    say(fd, "0\r\n\r\n");
    pump_until(f, (heard(f, fd, "\r\n"), f->heard_end));
    assert_int_equal(results(f), 2);
    close(fd);
}

static void no_more_than_the_window_is_in_flight(void **state)
{
    enum { DOCUMENTS = 50 };
    struct fixture *f = *state;
    size_t most = 0;
    f->hold = true;
    int fd = dial(f);
    say(fd, start);
    for (int i = 1; i <= DOCUMENTS; i++)
        say_document(fd, i);
    say(fd, "0\r\n\r\n");
    while (f->puts < DOCUMENTS) {
        pump_until(f, f->held_count > 0);
        if (f->held_count > most)
            most = f->held_count;
        if (f->held_count == WINDOW || f->puts + WINDOW > DOCUMENTS)
            answer_held(f, 0);
        else
            turn(f, sh_now_ms() + PATIENCE_MS);
    }
    pump_until(f, (heard(f, fd, "\r\n"), f->heard_end));
    assert_int_equal(most, WINDOW);
    assert_int_equal(results(f), DOCUMENTS);
    close(fd);
}

static void a_busy_service_is_asked_again(void **state)
{
    struct fixture *f = *state;
    f->refusals = 3;
    const char *answer = post(f, "/api/documents/batch?wait=1", "",
                              "{\"title\":\"t\",\"text\":\"x\"}\n"
                              "{\"title\":\"t\",\"text\":\"y\"}\n");
    assert_int_equal(results(f), 2);
    assert_null(strstr(answer, "error"));
    assert_int_equal(f->puts, 2);
}

static void a_line_too_long_fails_alone(void **state)
{
    struct fixture *f = *state;
    char *piece = malloc(70001);
    memset(piece, ' ', 70000);
    piece[0] = '{';
    piece[70000] = '\0';
    int fd = dial(f);
    say(fd, start);
    say_chunk(fd, piece);
    say_chunk(fd, "\n");
    say_document(fd, 2);
    say(fd, "0\r\n\r\n");
    pump_until(f, (heard(f, fd, "\r\n"), f->heard_end));
    assert_says(f->heard, "{\"line\":1,\"status\":\"error\"");
    assert_says(f->heard, "\"code\":\"too_large\"");
    assert_says(f->heard, "{\"line\":2,\"status\":\"created\"");
    close(fd);
    free(piece);
}

static void leave_with(struct fixture *f, int documents)
{
    f->hold = true;
    int fd = dial(f);
    say(fd, start);
    for (int i = 1; i <= documents; i++)
        say_document(fd, i);
    pump_until(f, f->held_count == WINDOW);
    hang_up(fd);
}

static void release_all(struct fixture *f)
{
    f->hold = false;
    while (f->held_count > 0)
        answer_held(f, 0);
}

static void a_client_that_leaves_cancels_what_is_in_flight(void **state)
{
    struct fixture *f = *state;
    leave_with(f, WINDOW);
    pump_until(f, f->canceled == WINDOW);
    release_all(f);
    assert_says(post(f, "/api/documents/batch?wait=true", "",
                     "{\"id\":\"z\",\"title\":\"t\",\"text\":\"x\"}"),
                "\"created\"");
    assert_int_equal(f->puts, WINDOW + 1);
}

/* While the window is full the socket is not read; the next result finds nobody. */
static void a_client_that_left_is_found_out_by_a_result(void **state)
{
    struct fixture *f = *state;
    leave_with(f, 3 * WINDOW);
    answer_held(f, 0);
    pump_until(f, f->canceled >= WINDOW - 1);
    release_all(f);
    pump_until(f, sh_http_server_connections(f->edge.server) == 0);
    assert_true(f->puts < 3 * WINDOW);
}

static void an_empty_batch_has_no_results(void **state)
{
    struct fixture *f = *state;
    assert_says(post(f, "/api/documents/batch?wait=true", "", ""), "HTTP/1.1 200 ");
    assert_int_equal(results(f), 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    sh_log_set_level(SH_CRITICAL);
    const struct CMUnitTest tests[] = {
        WITH(a_bad_line_does_not_stop_the_rest),
        WITH(results_keep_the_order_of_the_lines),
        WITH(lines_with_one_id_are_stored_in_their_order),
        WITH(a_byte_order_mark_is_skipped),
        WITH(a_result_comes_before_the_next_line_is_sent),
        WITH(no_more_than_the_window_is_in_flight),
        WITH(a_busy_service_is_asked_again),
        WITH(a_line_too_long_fails_alone),
        WITH(a_client_that_leaves_cancels_what_is_in_flight),
        WITH(a_client_that_left_is_found_out_by_a_result),
        WITH(an_empty_batch_has_no_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
