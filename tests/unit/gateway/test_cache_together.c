/* Identical searches at the same time: one is asked, all are answered. */
#include "cache_fixture.h"

enum { CLIENTS = 5 };

/* --- asking ----------------------------------------------------------------------- */

static int begin(struct fixture *f, const char *body)
{
    char request[1024];
    int fd = dial(f);

    (void)snprintf(request, sizeof request,
                   "POST /api/search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    say(fd, request);
    return fd;
}

static const char *finish(struct fixture *f, int fd)
{
    f->heard_len = 0;
    f->heard[0] = '\0';
    f->heard_end = false;
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
    return f->heard;
}

static void begin_all(struct fixture *f, int fds[CLIENTS])
{
    double shared = counted("shared");

    f->hold = true;
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = begin(f, walrus);
    pump_until(f, counted("shared") == shared + CLIENTS - 1 && f->held_count == 1);
}

static void release(struct fixture *f)
{
    struct sh_rpc_call *call = f->held[0];

    f->hold = false;
    f->held_count = 0;
    query_reply(f, call);
}

/* --- together --------------------------------------------------------------------- */

static void the_same_at_the_same_time_is_searched_once(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        assert_says(finish(f, fds[i]), "\"from_cache\":false");
    assert_int_equal(f->queries, 1);
    assert_says(search(f, walrus), "\"from_cache\":true");
}

static void others_do_not_wait_with_them(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    f->hold = false;
    assert_says(search(f, "{\"query\":\"walrus\",\"user\":{\"role\":\"student\"}}"),
                "HTTP/1.1 200 ");
    assert_int_equal(f->queries, 2);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        finish(f, fds[i]);
}

static void who_comes_after_a_change_does_not_join(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    f->hold = false;
    in_state(f, 2);
    assert_says(search(f, walrus), "HTTP/1.1 200 ");
    assert_int_equal(f->queries, 2);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        finish(f, fds[i]);
}

static void the_first_may_leave(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    hang_up(fds[0]);
    hang_up(fds[2]);
    search(f, "{\"query\":7}"); /* some turns, in which the others were seen to leave */
    assert_int_equal(f->canceled, 0);
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        if (i != 0 && i != 2)
            assert_says(finish(f, fds[i]), "HTTP/1.1 200 OK");
    assert_int_equal(f->queries, 1);
}

static void when_all_leave_it_is_cancelled(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    for (int i = 0; i < CLIENTS; i++)
        hang_up(fds[i]);
    pump_until(f, f->canceled == 1);
    release(f);
    assert_says(search(f, walrus), "\"from_cache\":false");
}

static void one_error_answers_all(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    f->fail_with = SH_INTERNAL;
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        assert_says(finish(f, fds[i]), "HTTP/1.1 500 ");
    assert_int_equal(f->queries, 1);
    f->fail_with = SH_OK;
    assert_says(search(f, walrus), "\"from_cache\":false");
}

static void an_end_with_searches_under_way_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    edge_close(&f->edge);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    sh_rpc_fail(f->held[0], SH_CANCELED, NULL, NULL, "%s", "over");
    f->held_count = 0;
}

/* What was begun before the clearing must not come in after it. */
static void a_search_under_way_is_not_kept_after_clearing(void **state)
{
    struct fixture *f = *state;
    int fds[CLIENTS];

    begin_all(f, fds);
    post(f, "/api/admin/cache/clear", "", "");
    release(f);
    for (int i = 0; i < CLIENTS; i++)
        assert_says(finish(f, fds[i]), "HTTP/1.1 200 OK");
    assert_says(search(f, walrus), "\"from_cache\":false");
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_same_at_the_same_time_is_searched_once),
        TEST(others_do_not_wait_with_them),
        TEST(who_comes_after_a_change_does_not_join),
        TEST(the_first_may_leave),
        TEST(when_all_leave_it_is_cancelled),
        TEST(one_error_answers_all),
        TEST(an_end_with_searches_under_way_leaves_nothing),
        TEST(a_search_under_way_is_not_kept_after_clearing),
    };
    return cmocka_run_group_tests_name("cache_together", tests, NULL, NULL);
}
