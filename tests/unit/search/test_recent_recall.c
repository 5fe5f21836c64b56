/* What live searches found lately: of the last five minutes, and nothing where nothing
 * was measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "services/search/query/recent_recall.h"

static const uint64_t a_minute_us = 60 * UINT64_C(1000000);

static void nothing_measured_is_no_number(void **state)
{
    const struct recent_recall none = {0};
    uint64_t count = 7;

    (void)state;
    assert_true(isnan(recent_recall_mean(&none, 0, &count)));
    assert_int_equal(count, 0);
    assert_true(isnan(recent_recall_mean(&none, 900 * a_minute_us, &count)));
}

static void it_is_the_mean_of_five_minutes(void **state)
{
    struct recent_recall recent = {0};
    uint64_t count;

    (void)state;
    recent_recall_add(&recent, 100 * a_minute_us, 1);
    recent_recall_add(&recent, 100 * a_minute_us + 1, 0.5);
    assert_float_equal(recent_recall_mean(&recent, 101 * a_minute_us, &count), 0.75,
                       1e-9);
    recent_recall_add(&recent, 104 * a_minute_us, 0);
    assert_float_equal(recent_recall_mean(&recent, 104 * a_minute_us, &count), 0.5, 1e-9);
    assert_int_equal(count, 3);
}

static void what_is_older_makes_way(void **state)
{
    struct recent_recall recent = {0};
    uint64_t count;

    (void)state;
    recent_recall_add(&recent, 100 * a_minute_us, 0.25);
    recent_recall_add(&recent, 103 * a_minute_us, 1);
    assert_float_equal(recent_recall_mean(&recent, 105 * a_minute_us, &count), 1, 1e-9);
    assert_int_equal(count, 1);
    recent_recall_add(&recent, 105 * a_minute_us, 0); /* where the first one was */
    assert_float_equal(recent_recall_mean(&recent, 105 * a_minute_us, &count), 0.5, 1e-9);
    assert_true(isnan(recent_recall_mean(&recent, 200 * a_minute_us, &count)));
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_measured_is_no_number),
        cmocka_unit_test(it_is_the_mean_of_five_minutes),
        cmocka_unit_test(what_is_older_makes_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
