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

enum { MOST = 4, LOG_MAX = 65536 };

/* As many as may be under way; their bodies never come. */
static void occupy(struct fixture *f, int fds[static MOST])
{
    for (int i = 0; i < MOST; i++) {
        fds[i] = dial(f);
        say(fds[i], "POST /api/search HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                    "Content-Type: application/json\r\n\r\n");
    }
    pump_until(f, strstr(get(f, "/api/nowhere"), "\"code\":\"overloaded\"") != NULL);
}

static void requests_under_way_are_bounded(void **state)
{
    struct fixture *f = *state;
    int fds[MOST];

    occupy(f, fds);
    assert_says(f->heard, "HTTP/1.1 503 ");
    assert_says(get(f, "/health/ping"), "HTTP/1.1 200 ");
    hang_up(fds[0]);
    pump_until(f, strstr(get(f, "/api/nowhere"), "overloaded") == NULL);
    for (int i = 1; i < MOST; i++)
        hang_up(fds[i]);
}

static const char *slurp(const char *dir)
{
    static char text[LOG_MAX];
    char path[64];

    (void)snprintf(path, sizeof path, "%s/app.log", dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static void remove_log(const char *dir)
{
    static const char *const names[] = {"app.log", "errors.log"};
    char path[64];

    for (size_t i = 0; i < SH_COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

static unsigned times(const char *text, const char *part)
{
    unsigned n = 0;

    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        n++;
    }
    return n;
}

/* The ten seconds may be over meanwhile: then there are two numbers. */
static unsigned held_back(const char *log)
{
    static const char name[] = "\"repeated\":";
    unsigned sum = 0;

    for (const char *at = log; (at = strstr(at, name)) != NULL; at += strlen(name))
        sum += (unsigned)strtoul(at + strlen(name), NULL, 10);
    return sum;
}

static unsigned refusals_so_far(void)
{
    struct sh_buffer metrics = {0};

    sh_metrics_render(&metrics, false);
    sh_buffer_append(&metrics, "", 1);
    assert_int_equal(metrics.err, SH_OK);
    const char *at = strstr(metrics.data, "\nhttp_requests_total{method=\"GET\","
                                          "endpoint=\"unmatched\",status=\"503\"}");
    assert_non_null(at);
    unsigned number = (unsigned)strtoul(strchr(at, '}') + 1, NULL, 10);
    sh_buffer_free(&metrics);
    return number;
}

static void of_many_refusals_the_log_has_a_few_and_their_number(void **state)
{
    enum { MANY = 60 };
    struct fixture *f = *state;
    char dir[] = "/tmp/cairn-overload-XXXXXX";
    int fds[MOST];

    occupy(f, fds);
    f->gateway.config.access_log = true;
    assert_non_null(mkdtemp(dir));
    const struct sh_log_options options = {
        .service = "gateway", .level = SH_INFO, .dir = dir};
    assert_int_equal(sh_log_open(&options), SH_OK);
    unsigned before = refusals_so_far();
    for (int i = 0; i < MANY; i++)
        assert_says(get(f, "/api/nowhere"), "HTTP/1.1 503 ");
    assert_int_equal(refusals_so_far() - before, MANY);
    sh_log_close();
    f->gateway.config.access_log = false;
    const char *log = slurp(dir);
    unsigned told =
        times(log, "answered 503, there is too much to do: GET /api/nowhere of ");
    assert_in_range(told, 1, MANY - 1);
    assert_int_equal(told + held_back(log), MANY);
    for (int i = 0; i < MOST; i++)
        hang_up(fds[i]);
    remove_log(dir);
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
        TEST(of_many_refusals_the_log_has_a_few_and_their_number),
        TEST(without_redis_the_share_is_the_limit_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
