#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libshared/src/number.h"
#include "shared/mem.h"
#include "shared/metrics.h"

static struct sh_family requests = {
    .kind = SH_COUNTER,
    .name = "test_requests_total",
    .help = "Requests \\ with\na second line.",
    .labels = {"method", "path"},
};
static struct sh_family depth = {
    .kind = SH_GAUGE,
    .name = "test_depth",
    .help = "Depth.",
};
static const double bounds[] = {0.5, 1, 2.5, 0};
static struct sh_family took = {
    .kind = SH_HISTOGRAM,
    .name = "test_seconds",
    .help = "Time.",
    .labels = {"op"},
    .buckets = bounds,
};

/* Rendered text, ended by NUL; the caller frees the buffer. */
static const char *render(struct sh_buffer *out, bool openmetrics)
{
    sh_buffer_clear(out);
    sh_metrics_render(out, openmetrics);
    sh_buffer_append(out, "", 1);
    assert_int_equal(out->err, SH_OK);
    return out->data;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void series_are_found_again(void **state)
{
    (void)state;
    struct sh_series *get = sh_series(&requests, (const char *[]){"GET", "/a"});
    struct sh_series *put = sh_series(&requests, (const char *[]){"PUT", "/a"});
    assert_ptr_not_equal(get, put);
    assert_ptr_equal(get, sh_series(&requests, (const char *[]){"GET", "/a"}));
    double before = sh_series_value(get);
    sh_count(&requests, "GET", "/a");
    assert_true(sh_series_value(get) == before + 1);
}

static void both_formats_render(void **state)
{
    (void)state;
    struct sh_buffer out = {0};
    sh_count(&requests, "GET", "/\"x\"\\\n");
    sh_series_set(sh_series(&depth, NULL), -2.5);
    const char *text = render(&out, false);
    assert_has(text, "# HELP test_requests_total Requests \\\\ with\\na second line.\n");
    assert_has(text, "# TYPE test_requests_total counter\n");
    assert_has(text,
               "test_requests_total{method=\"GET\",path=\"/\\\"x\\\"\\\\\\n\"} 1\n");
    assert_has(text, "# TYPE test_depth gauge\ntest_depth -2.5\n");
    assert_has(text, "# TYPE process_cpu_seconds_total counter\n");
    assert_has(text, "cairn_build_info{service=\"");
    assert_null(strstr(text, "# EOF"));

    text = render(&out, true);
    assert_has(text, "# TYPE test_requests counter\ntest_requests_total{");
    assert_has(text, "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total ");
    assert_string_equal(text + out.len - 1 - 6, "# EOF\n");
    sh_buffer_free(&out);
}

static void histogram_cumulates(void **state)
{
    (void)state;
    struct sh_buffer out = {0};
    struct sh_series *series = sh_series(&took, (const char *[]){"read"});
    sh_series_observe(series, 0.5);
    sh_series_observe(series, 0.75);
    sh_series_observe(series, 2);
    sh_series_observe(series, 100);
    assert_int_equal(sh_series_count(series), 4);
    const char *text = render(&out, false);
    assert_has(text, "test_seconds_bucket{op=\"read\",le=\"0.5\"} 1\n"
                     "test_seconds_bucket{op=\"read\",le=\"1\"} 2\n"
                     "test_seconds_bucket{op=\"read\",le=\"2.5\"} 3\n"
                     "test_seconds_bucket{op=\"read\",le=\"+Inf\"} 4\n"
                     "test_seconds_sum{op=\"read\"} 103.25\n"
                     "test_seconds_count{op=\"read\"} 4\n");
    assert_has(render(&out, true), "le=\"1.0\"");
    sh_buffer_free(&out);
}

static void buckets_are_told_one_by_one(void **state)
{
    (void)state;
    struct sh_series *series = sh_series(&took, (const char *[]){"one by one"});
    static const double values[] = {0.5, 0.75, 2, 100, 200};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        sh_series_observe(series, values[i]);
    assert_int_equal(sh_series_bucket(series, 0), 1);
    assert_int_equal(sh_series_bucket(series, 1), 1);
    assert_int_equal(sh_series_bucket(series, 2), 1);
    assert_int_equal(sh_series_bucket(series, 3), 2);
    assert_int_equal(sh_series_bucket(series, 4), 0);
    assert_int_equal(sh_series_bucket(sh_series(&depth, NULL), 0), 0);
}

static void add_those_of_walks(void *sum, const char *const *values, double value)
{
    if (strcmp(values[0], "WALK") == 0)
        *(double *)sum += value;
}

static void each_series_is_told_with_its_labels(void **state)
{
    (void)state;
    double sum = 0;
    sh_series_add(sh_series(&requests, (const char *[]){"WALK", "/a"}), 2);
    sh_series_add(sh_series(&requests, (const char *[]){"WALK", "/b"}), 3);
    sh_series_add(sh_series(&requests, (const char *[]){"RUN", "/b"}), 5);
    sh_metrics_each("test_requests_total", add_those_of_walks, &sum);
    assert_true(sum == 5);
    assert_true(sh_metrics_sum("test_requests_total") >= 10);
    sh_metrics_each("test_of_nobody", add_those_of_walks, &sum);
    assert_true(sum == 5 && sh_metrics_sum("test_of_nobody") == 0);
}

static void values_print_exactly(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *line;
    } cases[] = {
        {0, "test_depth 0\n"},
        {1e6, "test_depth 1000000\n"},
        {0.1, "test_depth 0.1\n"},
        {(double)NAN, "test_depth NaN\n"},
        {-(double)INFINITY, "test_depth -Inf\n"},
        {1e300, "test_depth 1e+300\n"},
        {1.0 / 3, "test_depth 0.333333333333333"},
    };
    struct sh_buffer out = {0};
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        sh_series_set(sh_series(&depth, NULL), cases[i].value);
        assert_has(render(&out, false), cases[i].line);
    }
    sh_buffer_free(&out);
}

static void numbers_read_back_as_they_were(void **state)
{
    (void)state;
    static const double wide[] = {0.000001, -0.000001, 999999999.999999,  1e9,    -1e9,
                                  1e15,     1.5e-7,    123456789012.25,   5e-324, 1e22,
                                  -12.5,    0.1 + 0.2, 4503599627370497.5};
    char text[32];
    uint64_t seed = 1;
    for (size_t i = 0; i < SH_COUNT(wide); i++) {
        sh_number_text(wide[i], text);
        assert_true(strtod(text, NULL) == wide[i]);
    }
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double value = (double)(int64_t)seed / (double)(1ull << (seed >> 58));
        sh_number_text(value, text);
        assert_true(strtod(text, NULL) == value);
        sh_number_text((double)(int32_t)(seed >> 32) / 1000, text);
        assert_true(strtod(text, NULL) == (double)(int32_t)(seed >> 32) / 1000);
        assert_true(strlen(text) <= 12);
    }
}

static void *update_many(void *arg)
{
    char name[16];
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof(name), "/%d", i % 10);
        sh_count(&requests, "POST", name);
        sh_series_observe(sh_series(&took, (const char *[]){"threads"}), 1);
    }
    return NULL;
}

static void no_update_is_lost_between_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct sh_buffer out = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, update_many, NULL), 0);
    for (int i = 0; i < 20; i++)
        (void)render(&out, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    double sum = 0;
    char name[16];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof(name), "/%d", i);
        sum += sh_series_value(sh_series(&requests, (const char *[]){"POST", name}));
    }
    assert_true(sum == 40000);
    struct sh_series *series = sh_series(&took, (const char *[]){"threads"});
    assert_int_equal(sh_series_count(series), 40000);
    assert_true(sh_series_value(series) == 40000);
    sh_buffer_free(&out);
}

static void failing_allocation_loses_only_the_sample(void **state)
{
    (void)state;
    struct sh_buffer out = {0};
    sh_count(&requests, "known", "/");
    for (int i = 0; i < 4; i++) {
        sh_mem_fail_after(i);
        struct sh_series *series = sh_series(&took, (const char *[]){"unlucky"});
        sh_mem_fail_after(-1);
        assert_non_null(series);
        sh_series_observe(series, 1);
    }
    const char *text = render(&out, false);
    assert_null(strstr(text, "unlucky"));
    assert_has(text, "cairn_metrics_series_dropped_total 4\n");
    sh_buffer_free(&out);
}

static void unbounded_labels_are_stopped(void **state)
{
    static struct sh_family wild = {
        .kind = SH_COUNTER, .name = "test_wild_total", .help = "Wild.", .labels = {"l"}};
    struct sh_buffer out = {0};
    char name[16];
    (void)state;
    for (int i = 0; i < 1010; i++) {
        (void)snprintf(name, sizeof(name), "%d", i);
        sh_count(&wild, name);
    }
    const char *text = render(&out, false);
    assert_has(text, "test_wild_total{l=\"999\"} 1\n");
    assert_null(strstr(text, "test_wild_total{l=\"1000\"}"));
    sh_buffer_free(&out);
}

static void on_scrape(void *arg)
{
    int *calls = arg;
    sh_series_set(sh_series(&depth, NULL), ++*calls);
}

static void hooks_run_before_each_scrape(void **state)
{
    (void)state;
    struct sh_buffer out = {0};
    int calls = 0;
    assert_int_equal(sh_metrics_on_scrape(on_scrape, &calls), SH_OK);
    (void)render(&out, false);
    assert_has(render(&out, false), "test_depth 2\n");
    sh_metrics_off_scrape(on_scrape, &calls);
    (void)render(&out, false);
    assert_int_equal(calls, 2);
    sh_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_found_again),
        cmocka_unit_test(both_formats_render),
        cmocka_unit_test(histogram_cumulates),
        cmocka_unit_test(buckets_are_told_one_by_one),
        cmocka_unit_test(each_series_is_told_with_its_labels),
        cmocka_unit_test(values_print_exactly),
        cmocka_unit_test(numbers_read_back_as_they_were),
        cmocka_unit_test(no_update_is_lost_between_threads),
        cmocka_unit_test(failing_allocation_loses_only_the_sample),
        cmocka_unit_test(unbounded_labels_are_stopped),
        cmocka_unit_test(hooks_run_before_each_scrape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
