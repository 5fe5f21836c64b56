/* Overload, seen from a client of one edge: searches that take too long, too many
 * requests under way; and limits without Redis. */
#define FIXTURE_ADJUST(f)                                                                \
    do {                                                                                 \
        (f)->gateway.limits_config.in_flight = 4;                                        \
        (f)->gateway.limits_config.enabled = "true";                                     \
        (f)->gateway.limits_config.requests = 3;                                         \
        (f)->gateway.limits_config.window_s = 86400;                                     \
        (f)->gateway.limits_config.search_per_minute = 1000;                             \
        (f)->gateway.limits_config.per_minute = 1000;                                    \
        (f)->gateway.limits_config.api_burst = 1000;                                     \
    } while (0)
#include "gateway_fixture.h"

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

static void assert_let_in(const char *heard)
{
    assert_says(heard, "HTTP/1.1 404 ");
    assert_says(heard, "RateLimit-Policy: \"requests\";q=3;w=86400, ");
}

/* What an answer to a request too many says. */
static void assert_refused(const char *heard)
{
    static const char *const told[] = {"HTTP/1.1 429 ",
                                       "\"code\":\"rate_limited\"",
                                       "RateLimit: \"requests\";r=0;t=86400\r\n",
                                       "X-RateLimit-Limit: 3\r\n",
                                       "X-RateLimit-Remaining: 0\r\n",
                                       "Retry-After: 28800\r\n"};
    for (size_t i = 0; i < SH_COUNT(told); i++)
        assert_says(heard, told[i]);
}

static void without_redis_the_share_is_the_limit_of_one(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++)
        assert_let_in(get(f, "/api/nowhere"));
    assert_refused(get(f, "/api/nowhere"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_under_way_are_bounded),
        TEST(without_redis_the_share_is_the_limit_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
