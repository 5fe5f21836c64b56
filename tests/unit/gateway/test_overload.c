/* Overload, seen from a client of one edge: searches that take too long, too many
 * requests under way; and limits without Redis. */
#define FIXTURE_ADJUST(f)                                                                \
    do {                                                                                 \
        (f)->gateway.limits_config.shed_search_ms = 1;                                   \
        (f)->gateway.limits_config.shed_interval_ms = 50;                                \
        (f)->gateway.limits_config.in_flight = 4;                                        \
        (f)->gateway.limits_config.enabled = "true";                                     \
        (f)->gateway.limits_config.requests = 3;                                         \
        (f)->gateway.limits_config.window_s = 86400;                                     \
        (f)->gateway.limits_config.search_per_minute = 1000;                             \
        (f)->gateway.limits_config.per_minute = 1000;                                    \
        (f)->gateway.limits_config.api_burst = 1000;                                     \
    } while (0)
#include "gateway_fixture.h"

static int ask_search(struct fixture *f, int number)
{
    char request[512], body[64];
    int fd = dial(f);

    (void)snprintf(body, sizeof body, "{\"query\":\"question %d\"}", number);
    (void)snprintf(request, sizeof request,
                   "POST /api/search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    say(fd, request);
    return fd;
}

static void answer_first(struct fixture *f)
{
    struct search_results results = {0};
    struct sh_rpc_call *call = f->held[0];

    f->held_count--;
    for (size_t i = 0; i < f->held_count; i++)
        f->held[i] = f->held[i + 1];
    sh_rpc_reply(call, search_results_desc(), &results);
}

/* One search that takes longer than it may. */
static void search_slowly(struct fixture *f, int number)
{
    int fd = ask_search(f, number);
    pump_until(f, f->held_count == 1);
    uint64_t end = sh_now_us() + 20000;
    pump_until(f, sh_now_us() >= end);
    answer_first(f);
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
}

static bool is_over(int fd)
{
    char bytes[4096];
    return recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0;
}

/* The answer is complete: nothing of it is under way any more. */
static void see_off(struct fixture *f, int fd)
{
    pump_until(f, is_over(fd));
    close(fd);
}

/* Two at a time; true when the second one was refused at once. */
static bool refuses_the_second(struct fixture *f, int number)
{
    int first = ask_search(f, number);
    pump_until(f, f->held_count == 1);
    int second = ask_search(f, number + 1);
    pump_until(f, (heard(f, second, "\r\n\r\n"), f->heard_end || f->held_count == 2));
    bool refused = f->heard_end;
    while (f->held_count > 0)
        answer_first(f);
    see_off(f, first);
    if (refused)
        close(second);
    else
        see_off(f, second);
    return refused;
}

static void searches_are_refused_while_they_take_too_long(void **state)
{
    struct fixture *f = *state;
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    int number = 0;

    f->hold = true;
    do {
        search_slowly(f, number++);
        number += 2;
        assert_true(sh_left_ms(deadline) > 0);
    } while (!refuses_the_second(f, number));
    assert_says(f->heard, "HTTP/1.1 503 ");
    assert_says(f->heard, "\"code\":\"overloaded\"");
    assert_says(f->heard, "Retry-After: 1\r\n");
    assert_says(get(f, "/health/ping"), "HTTP/1.1 200 "); /* only searches */
    f->hold = false; /* search is quick again: that is noticed */
    deadline = sh_now_ms() + PATIENCE_MS;
    for (int i = 100000;; i++) {
        int fd = ask_search(f, i);
        pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
        close(fd);
        if (strstr(f->heard, "HTTP/1.1 200 ") != NULL)
            break;
        assert_true(sh_left_ms(deadline) > 0);
    }
}

static void requests_under_way_are_bounded(void **state)
{
    enum { MOST = 4 };
    struct fixture *f = *state;
    int fds[MOST];

    for (int i = 0; i < MOST; i++) { /* their bodies never come */
        fds[i] = dial(f);
        say(fds[i], "POST /api/search HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                    "Content-Type: application/json\r\n\r\n");
    }
    pump_until(f, strstr(get(f, "/api/nowhere"), "\"code\":\"overloaded\"") != NULL);
    assert_says(f->heard, "HTTP/1.1 503 ");
    assert_says(get(f, "/health/ping"), "HTTP/1.1 200 ");
    hang_up(fds[0]);
    pump_until(f, strstr(get(f, "/api/nowhere"), "overloaded") == NULL);
    for (int i = 1; i < MOST; i++)
        hang_up(fds[i]);
}

static void without_redis_the_share_is_the_limit_of_one(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++) {
        assert_says(get(f, "/api/nowhere"), "HTTP/1.1 404 ");
        assert_says(f->heard, "RateLimit-Policy: \"requests\";q=3;w=86400, ");
    }
    assert_says(get(f, "/api/nowhere"), "HTTP/1.1 429 ");
    assert_says(f->heard, "\"code\":\"rate_limited\"");
    assert_says(f->heard, "RateLimit: \"requests\";r=0;t=86400\r\n");
    assert_says(f->heard, "X-RateLimit-Limit: 3\r\n");
    assert_says(f->heard, "X-RateLimit-Remaining: 0\r\n");
    assert_says(f->heard, "Retry-After: 28800\r\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(searches_are_refused_while_they_take_too_long),
        TEST(requests_under_way_are_bounded),
        TEST(without_redis_the_share_is_the_limit_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
