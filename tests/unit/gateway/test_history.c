/* GET /api/admin/stats/history: what was asked of this gateway, and for whom it is. */
#define BEFORE_EDGE(f)                                                                   \
    assert_int_equal(history_open(&(f)->loop, "this-one", (f)->gateway.routes,           \
                                  (f)->gateway.route_count, &(f)->gateway.history),      \
                     SH_OK)
#include "services/gateway/history/history.h"

#include "gateway_fixture.h"

#include <math.h>

enum { A_STEP = HISTORY_STEP_S };

static int tear_down_history(void **state)
{
    struct fixture *f = *state;
    history_close(&f->gateway.history);
    return tear_down(state);
}

static json_t *ask_history(struct fixture *f, const char *query)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/api/admin/stats/history%s", query);
    const char *answer = get(f, path);
    assert_says(answer, "HTTP/1.1 200 ");
    json_t *json = json_loads(strstr(answer, "\r\n\r\n") + 4, 0, NULL);
    assert_non_null(json);
    return json;
}

static json_int_t integer_in(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* NULL: there is none. */
static json_t *route_of(const json_t *history, const char *operation)
{
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(json_object_get(history, "routes"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "operation")), operation) == 0)
            return one;
    }
    return NULL;
}

static void search(struct fixture *f)
{
    assert_says(post(f, "/api/search", "Content-Type: application/json\r\n",
                     "{\"query\":\"words\"}"),
                "HTTP/1.1 200 ");
}

static void what_was_asked_before_is_told(void **state)
{
    struct fixture *f = *state;

    search(f);
    assert_says(get(f, "/api/search?q=words"), "HTTP/1.1 200 ");
    assert_says(get(f, "/health/ping"), "HTTP/1.1 200 ");
    assert_says(get(f, "/nowhere"), "HTTP/1.1 404 ");
    json_t *history = ask_history(f, "");
    json_t *sums = json_object_get(history, "sums");
    assert_string_equal(json_string_value(json_object_get(history, "instance")),
                        "this-one");
    assert_int_equal(integer_in(sums, "requests"), 3); /* a probe is none */
    assert_int_equal(integer_in(sums, "searches"), 2);
    assert_true(json_is_real(json_object_get(sums, "search_p95")));
    assert_int_equal(integer_in(route_of(history, "search_documents"), "requests"), 1);
    assert_int_equal(integer_in(route_of(history, "unmatched"), "requests"), 1);
    assert_null(route_of(history, "health_ping"));
    assert_null(route_of(history, "store_document"));
    assert_int_equal(json_array_size(json_object_get(history, "steps")), 1);
    json_decref(history);
}

static void errors_and_refusals_are_counted(void **state)
{
    struct fixture *f = *state;

    f->fail_with = SH_UNAVAILABLE;
    assert_says(post(f, "/api/search", "Content-Type: application/json\r\n",
                     "{\"query\":\"words\"}"),
                "HTTP/1.1 503 ");
    f->gateway.auth->jwt_mode = true;
    assert_says(get(f, "/api/admin/stats"), "HTTP/1.1 401 ");
    f->gateway.auth->jwt_mode = false;
    json_t *history = ask_history(f, "");
    assert_int_equal(integer_in(json_object_get(history, "sums"), "errors"), 1);
    assert_int_equal(integer_in(json_object_get(history, "sums"), "refused"), 1);
    assert_int_equal(integer_in(route_of(history, "search_documents"), "errors"), 1);
    json_decref(history);
}

static void steps_follow_each_other_and_the_last_is_under_way(void **state)
{
    struct fixture *f = *state;
    double now_s = (double)sh_now_us() / 1e6;

    /* the clock of the fixture's ring is ahead of ours by one step, then by two */
    search(f);
    history_tick(f->gateway.history, now_s + A_STEP);
    search(f);
    search(f);
    history_tick(f->gateway.history, now_s + 2 * A_STEP);
    json_t *history = ask_history(f, "");
    json_t *steps = json_object_get(history, "steps");
    assert_int_equal(json_array_size(steps), 2);
    assert_int_equal(integer_in(json_array_get(steps, 0), "searches"), 1);
    assert_int_equal(integer_in(json_array_get(steps, 1), "searches"), 2);
    assert_int_equal(integer_in(json_object_get(history, "sums"), "searches"), 3);
    json_decref(history);
}

static void an_hour_is_kept_and_no_more(void **state)
{
    struct fixture *f = *state;
    double now_s = (double)sh_now_us() / 1e6;

    search(f);
    for (int i = 1; i <= HISTORY_STEPS + 40; i++)
        history_tick(f->gateway.history, now_s + i * A_STEP);
    json_t *history = ask_history(f, "?minutes=60");
    assert_int_equal(json_array_size(json_object_get(history, "steps")), HISTORY_STEPS);
    assert_int_equal(integer_in(json_object_get(history, "sums"), "searches"), 0);
    assert_true(
        json_is_null(json_object_get(json_object_get(history, "sums"), "search_p95")));
    assert_null(route_of(history, "search_documents"));
    json_decref(history);
}

static void times_are_bounds_of_the_histogram(void **state)
{
    const struct history_times slow = {.counts[METER_BOUNDS] = 1, .milliseconds = 20000};
    const struct history_times mixed = {
        .counts[0] = 94, .counts[5] = 6, .milliseconds = 1500};

    (void)state;
    assert_true(history_within(&slow, 0.95) == meter_bounds[METER_BOUNDS - 1]);
    assert_true(history_within(&mixed, 0.5) == meter_bounds[0]);
    assert_true(history_within(&mixed, 0.95) == meter_bounds[5]);
    assert_true(history_mean(&mixed) == 0.015);
    assert_true(history_within(&(struct history_times){0}, 0.95) == 0);
    assert_true(history_mean(&(struct history_times){0}) == 0);
}

static void the_slowest_come_first(void **state)
{
    struct fixture *f = *state;
    double before = INFINITY;
    size_t i = 0;
    json_t *one = NULL;

    search(f);
    get(f, "/openapi.json");
    get(f, "/api/admin/roles");
    get(f, "/nowhere");
    assert_true(history_search_ms(f->gateway.history) >= 0);
    json_t *history = ask_history(f, "");
    json_array_foreach(json_object_get(history, "routes"), i, one)
    {
        double p95 = json_number_value(json_object_get(one, "p95"));
        assert_true(p95 > 0 && p95 <= before);
        before = p95;
    }
    assert_true(i >= 4);
    json_decref(history);
}

static void it_is_for_operators(void **state)
{
    struct fixture *f = *state;

    assert_says(get(f, "/api/admin/stats/history?minutes=61"), "HTTP/1.1 400 ");
    f->gateway.auth->jwt_mode = true;
    assert_says(get(f, "/api/admin/stats/history"), "HTTP/1.1 401 ");
}

static void memory_may_run_out_at_its_beginning(void **state)
{
    struct fixture *f = *state;
    int failures = 0;

    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct history *another = NULL;
        sh_mem_fail_after(failures);
        err = history_open(&f->loop, "another", f->gateway.routes, f->gateway.route_count,
                           &another);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || (err == SH_NOMEM && another == NULL));
        history_close(&another);
    }
    assert_true(failures > 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_history)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_asked_before_is_told),
        TEST(errors_and_refusals_are_counted),
        TEST(steps_follow_each_other_and_the_last_is_under_way),
        TEST(an_hour_is_kept_and_no_more),
        cmocka_unit_test(times_are_bounds_of_the_histogram),
        TEST(the_slowest_come_first),
        TEST(it_is_for_operators),
        TEST(memory_may_run_out_at_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
