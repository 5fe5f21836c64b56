/* The ring of the last hour: what is kept, what makes way, and what a clock may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/gateway/history/ring.h"
#include "shared/bytes.h"
#include "shared/mem.h"

enum { STEPS = 4, GAUGES = 1, COUNTERS = 2, WIDTH = GAUGES + COUNTERS };

static const struct ring_shape shape = {STEPS, GAUGES, COUNTERS};

static int set_up(void **state)
{
    struct ring *ring = NULL;
    assert_int_equal(ring_create(&shape, &ring), SH_OK);
    *state = ring;
    return 0;
}

static int tear_down(void **state)
{
    struct ring *ring = *state;
    ring_free(&ring);
    assert_null(ring);
    ring_free(&ring);
    return 0;
}

/* One gauge and two counters. */
static void end(struct ring *ring, double now_s, uint64_t gauge, uint64_t a, uint64_t b)
{
    ring_end_step(ring, now_s, (const uint64_t[]){gauge, a, b});
}

static void assert_step(const struct ring *ring, size_t i, double ended_s, double seconds,
                        const uint32_t values[static WIDTH])
{
    struct ring_step step = ring_at(ring, i);
    assert_float_equal(step.ended_s, ended_s, 1e-9);
    assert_float_equal(step.seconds, seconds, 1e-9);
    for (size_t v = 0; v < WIDTH; v++)
        assert_int_equal(step.values[v], values[v]);
}

static void the_first_call_begins_and_counts_nothing(void **state)
{
    uint32_t row[WIDTH];
    uint64_t sums[COUNTERS];
    const uint64_t values[] = {1, 500, 600};

    assert_true(ring_running(*state, 5, values, row) == 0);
    assert_true(ring_sum(*state, 0, 5, values, sums) == 0 && sums[0] == 0);
    end(*state, 10, 1, 500, 600);
    assert_int_equal(ring_count(*state), 0);
    assert_true(ring_sum(*state, 0, 10, values, sums) == 0 && sums[0] == 0);
}

static void a_step_has_gauges_as_they_are_and_what_counters_grew_by(void **state)
{
    end(*state, 10, 1, 500, 600);
    end(*state, 25, 7, 503, 600);
    assert_int_equal(ring_count(*state), 1);
    assert_step(*state, 0, 25, 15, (const uint32_t[]){7, 3, 0});
}

static void the_oldest_steps_make_way(void **state)
{
    for (uint64_t i = 0; i <= 3 * STEPS + 1; i++)
        end(*state, (double)i, i, i * i, i);
    assert_int_equal(ring_count(*state), STEPS);
    for (size_t i = 0; i < STEPS; i++) {
        uint32_t at = (uint32_t)(2 * STEPS + 2 + i);
        assert_step(*state, i, at, 1, (const uint32_t[]){at, 2 * at - 1, 1});
    }
}

static void a_gap_is_one_long_step(void **state)
{
    end(*state, 0, 0, 0, 0);
    end(*state, 15, 0, 10, 0);
    end(*state, 615, 0, 70, 0);
    assert_int_equal(ring_count(*state), 2);
    assert_step(*state, 1, 615, 600, (const uint32_t[]){0, 60, 0});
}

static void a_clock_that_does_not_go_on_ends_nothing(void **state)
{
    end(*state, 100, 0, 0, 0);
    end(*state, 100, 0, 5, 0);
    end(*state, 40, 0, 6, 0);
    assert_int_equal(ring_count(*state), 0);
    end(*state, 110, 0, 7, 0);
    assert_step(*state, 0, 110, 10, (const uint32_t[]){0, 7, 0});
}

static void counters_that_went_back_have_not_grown_and_large_ones_are_cut(void **state)
{
    end(*state, 0, 0, 100, 0);
    end(*state, 1, UINT64_MAX - 1, 40, UINT64_MAX);
    assert_step(*state, 0, 1, 1, (const uint32_t[]){UINT32_MAX - 1, 0, UINT32_MAX});
}

static void a_gauge_that_nobody_knows_stays_unknown(void **state)
{
    uint32_t row[WIDTH];
    const uint64_t unknown[] = {RING_UNKNOWN, 0, 0};
    const struct ring_step running = {0, 0, row};
    const uint64_t gauges[] = {RING_UNKNOWN, 0, UINT32_MAX - 1};

    end(*state, 0, 0, 0, 0);
    end(*state, 1, RING_UNKNOWN, 0, 0);
    end(*state, 2, 0, 0, 0); /* none is a figure */
    end(*state, 3, UINT32_MAX, 0, 0);
    for (size_t i = 0; i < SH_COUNT(gauges); i++) {
        struct ring_step step = ring_at(*state, i);
        assert_true(ring_gauge(&step, 0) == gauges[i]);
    }
    assert_true(ring_running(*state, 4, unknown, row) > 0);
    assert_true(ring_gauge(&running, 0) == RING_UNKNOWN);
}

static void the_step_under_way_is_told_and_not_ended(void **state)
{
    uint32_t row[WIDTH];
    end(*state, 0, 0, 0, 0);
    for (int again = 0; again < 2; again++) {
        double seconds = ring_running(*state, 4, (const uint64_t[]){9, 8, 7}, row);
        assert_float_equal(seconds, 4, 1e-9);
        assert_true(row[0] == 9 && row[1] == 8 && row[2] == 7);
    }
    assert_int_equal(ring_count(*state), 0);
}

static void sums_are_of_the_steps_asked_for_and_of_the_one_under_way(void **state)
{
    uint64_t sums[COUNTERS];
    const uint64_t values[] = {0, 1111, 5};

    end(*state, 0, 0, 0, 0);
    end(*state, 10, 0, 1, 0);
    end(*state, 20, 0, 11, 0);
    end(*state, 30, 0, 111, 2);
    assert_float_equal(ring_sum(*state, 10, 34, values, sums), 24, 1e-9);
    assert_true(sums[0] == 10 + 100 + 1000 && sums[1] == 5);
    assert_float_equal(ring_sum(*state, 12, 34, values, sums), 24, 1e-9);
    assert_float_equal(ring_sum(*state, 30, 34, values, sums), 4, 1e-9);
    assert_true(sums[0] == 1000 && sums[1] == 3);
    assert_float_equal(ring_sum(*state, -1, 34, values, sums), 34, 1e-9);
    assert_int_equal(sums[0], 1111);
}

static void shapes_of_nothing_are_refused_and_memory_may_run_out(void **state)
{
    struct ring *ring = NULL;
    int failures = 0;

    (void)state;
    assert_int_equal(ring_create(&(struct ring_shape){0, 1, 1}, &ring), SH_INVALID);
    assert_int_equal(ring_create(&(struct ring_shape){1, 0, 0}, &ring), SH_INVALID);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = ring_create(&shape, &ring);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 1);
    ring_free(&ring);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_call_begins_and_counts_nothing),
        TEST(a_step_has_gauges_as_they_are_and_what_counters_grew_by),
        TEST(the_oldest_steps_make_way),
        TEST(a_gap_is_one_long_step),
        TEST(a_clock_that_does_not_go_on_ends_nothing),
        TEST(counters_that_went_back_have_not_grown_and_large_ones_are_cut),
        TEST(a_gauge_that_nobody_knows_stays_unknown),
        TEST(the_step_under_way_is_told_and_not_ended),
        TEST(sums_are_of_the_steps_asked_for_and_of_the_one_under_way),
        cmocka_unit_test(shapes_of_nothing_are_refused_and_memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
