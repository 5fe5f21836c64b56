/* The parts of the client that decide: windows, balance, ejection, retries, breaker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshared/src/rpc_balance.h"
#include "libshared/src/rpc_breaker.h"
#include "libshared/src/rpc_retry.h"
#include "libshared/src/rpc_window.h"

static void a_window_forgets_after_ten_seconds(void **state)
{
    (void)state;
    struct rpc_window window = {0};
    for (int i = 0; i < 7; i++)
        rpc_window_add(&window, 100000, true, 1000);
    rpc_window_add(&window, 104000, false, 0);
    struct rpc_totals totals = rpc_window_totals(&window, 109999);
    assert_true(totals.ok == 7 && totals.failed == 1);
    totals = rpc_window_totals(&window, 110000);
    assert_true(totals.ok == 0 && totals.failed == 1);
    totals = rpc_window_totals(&window, 10000000);
    assert_true(totals.ok == 0 && totals.failed == 0);
}

static void quantiles_are_at_most_a_quarter_too_large(void **state)
{
    (void)state;
    struct rpc_window window = {0};
    assert_true(rpc_window_quantile(&window, 0, 0.95) == 0);
    for (uint64_t us = 1; us <= 1000; us++)
        rpc_window_add(&window, 5000, true, us * 100);
    uint64_t p50 = rpc_window_quantile(&window, 5000, 0.5);
    uint64_t p95 = rpc_window_quantile(&window, 5000, 0.95);
    assert_in_range(p50, 50000, 62500);
    assert_in_range(p95, 95000, 118750);
    for (uint64_t us = 1; us < 60000000; us = us * 3 + 1) {
        struct rpc_window one = {0};
        rpc_window_add(&one, 0, true, us);
        assert_in_range(rpc_window_quantile(&one, 0, 1), us, us + us / 4);
    }
    rpc_window_add(&window, 5000, true, UINT64_MAX); /* the last bin takes the rest */
}

static void the_nth_slowest_is_found(void **state)
{
    (void)state;
    struct rpc_window window = {0};
    for (uint64_t us = 1; us <= 9; us++)
        rpc_window_add(&window, 5000, true, us * 10000);
    assert_true(rpc_window_slowest(&window, 5000, 10) == 0);
    assert_in_range(rpc_window_slowest(&window, 5000, 1), 90000, 112500);
    assert_in_range(rpc_window_slowest(&window, 5000, 9), 10000, 12500);
    rpc_window_add(&window, 7000, true, 1000);
    rpc_window_add(&window, 7000, false, 0); /* what failed took no time */
    assert_in_range(rpc_window_slowest(&window, 7000, 10), 1000, 1250);
}

static void the_less_loaded_of_two_is_chosen(void **state)
{
    (void)state;
    struct rpc_random random = {1};
    struct rpc_load loads[3] = {{9, 9, 1}, {0, 0, 1}, {5, 0, 1}};
    size_t chosen[3] = {0};
    for (int i = 0; i < 3000; i++)
        chosen[rpc_balance_choose(loads, 3, &random)]++;
    assert_int_equal(chosen[0], 0); /* every pair has a better one */
    assert_true(chosen[1] > 1800 && chosen[2] > 800);
    assert_int_equal(rpc_balance_choose(loads, 1, &random), 0);
    loads[1].weight = 0.1; /* starts slowly: an idle one counts as busy as ten */
    chosen[1] = chosen[2] = 0;
    for (int i = 0; i < 3000; i++)
        chosen[rpc_balance_choose(loads, 3, &random)]++;
    assert_true(chosen[2] > 1800);
}

static void outliers_stand_out_by_failures_rate_or_latency(void **state)
{
    (void)state;
    struct rpc_record records[8];
    for (size_t i = 0; i < 8; i++)
        records[i] = (struct rpc_record){
            .ok = 990, .failed = 10, .p99_us = 30000, .tenth_us = 200000};
    assert_null(rpc_balance_outlier(records, 8, 0));

    records[0].failures_in_row = 4;
    assert_null(rpc_balance_outlier(records, 8, 0));
    records[0].failures_in_row = 5;
    assert_string_equal(rpc_balance_outlier(records, 8, 0), "failures in a row");

    records[1].ok = 700;
    records[1].failed = 300;
    assert_string_equal(rpc_balance_outlier(records, 8, 1), "success rate");
    assert_null(rpc_balance_outlier(records, 8, 2));
    records[1] = (struct rpc_record){.ok = 69, .failed = 30}; /* too few to judge */
    assert_null(rpc_balance_outlier(records, 8, 1));

    records[3].p99_us = 90000;
    assert_null(rpc_balance_outlier(records, 8, 3));
    records[3].p99_us = 90001;
    assert_string_equal(rpc_balance_outlier(records, 8, 3), "latency");
    records[3].tenth_us = 90000; /* of few requests, a stall or two */
    assert_null(rpc_balance_outlier(records, 8, 3));
    records[3].tenth_us = 90001;
    assert_string_equal(rpc_balance_outlier(records, 8, 3), "latency");
    assert_null(rpc_balance_outlier(&records[2], 2, 1)); /* one peer has no median */
    for (size_t i = 0; i < 8; i++)
        records[i].p99_us = 100;
    records[3].p99_us = 20000; /* 200 times the others and still fast */
    assert_null(rpc_balance_outlier(records, 8, 3));
}

static void half_of_the_replicas_always_stay(void **state)
{
    (void)state;
    assert_false(rpc_balance_may_eject(0, 0));
    assert_false(rpc_balance_may_eject(1, 1));
    assert_true(rpc_balance_may_eject(2, 2));
    assert_false(rpc_balance_may_eject(2, 1));
    assert_true(rpc_balance_may_eject(3, 3));
    assert_false(rpc_balance_may_eject(3, 2));
    assert_true(rpc_balance_may_eject(4, 3));
    assert_false(rpc_balance_may_eject(4, 2));
}

static void ejections_grow_to_a_bound(void **state)
{
    (void)state;
    struct rpc_random random = {7};
    for (unsigned times = 1; times < 100; times++) {
        uint64_t outlier = times < 12 ? times * 5000 : 60000;
        uint64_t silent = times < 2 ? 1000 : 2000;
        for (int i = 0; i < 50; i++) {
            assert_in_range(rpc_balance_ejection_ms(times, false, &random),
                            outlier * 4 / 5, outlier * 6 / 5);
            assert_in_range(rpc_balance_ejection_ms(times, true, &random), silent * 4 / 5,
                            silent * 6 / 5);
        }
    }
    assert_true(rpc_balance_slow_start(0) < 0.11);
    assert_true(rpc_balance_slow_start(5000) > 0.49);
    assert_true(rpc_balance_slow_start(60000) > 0.99);
}

static void reads_are_retried_twice_and_writes_only_when_safe(void **state)
{
    (void)state;
    static const struct {
        struct rpc_outcome outcome;
        bool again;
    } cases[] = {
        {{SH_RPC_READ, false, 0, SH_IO}, true},
        {{SH_RPC_READ, false, 1, SH_INTERNAL}, true},
        {{SH_RPC_READ, false, 2, SH_IO}, false},
        {{SH_RPC_READ, false, 0, SH_UNAVAILABLE}, true},
        {{SH_RPC_READ, false, 0, SH_TIMEOUT}, false}, /* no time is left */
        {{SH_RPC_READ, false, 0, SH_NOTFOUND}, false},
        {{SH_RPC_READ, false, 0, SH_INVALID}, false},
        {{SH_RPC_READ, false, 0, SH_TOOBIG}, false},
        {{SH_RPC_WRITE, false, 0, SH_IO}, false}, /* it may have been done */
        {{SH_RPC_WRITE, false, 0, SH_INTERNAL}, false},
        {{SH_RPC_WRITE, false, 0, SH_UNAVAILABLE}, false},
        {{SH_RPC_WRITE, true, 0, SH_IO}, true}, /* the key makes it once */
        {{SH_RPC_WRITE, true, 1, SH_IO}, false},
        {{SH_RPC_WRITE, false, 0, SH_REJECTED}, true},
        {{SH_RPC_WRITE, false, 0, SH_DRAINING}, true},
        {{SH_RPC_WRITE, false, 0, SH_BUSY}, true},
        {{SH_RPC_WRITE, false, 1, SH_BUSY}, false},
        {{SH_RPC_WRITE, true, 0, SH_CONFLICT}, false},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_int_equal(rpc_retry_allowed(&cases[i].outcome), cases[i].again);
}

static void the_budget_is_a_fifth_and_at_least_three(void **state)
{
    (void)state;
    struct rpc_budget small = {.active = 1};
    struct rpc_budget large = {.active = 100};
    int taken = 0;
    while (rpc_budget_take(&small))
        taken++;
    assert_int_equal(taken, 3);
    for (taken = 0; rpc_budget_take(&large); taken++)
        ;
    assert_int_equal(taken, 20);
    large.extra--;
    assert_true(rpc_budget_take(&large));
}

static void back_off_doubles_and_hedges_wait_for_the_p95(void **state)
{
    (void)state;
    struct rpc_random random = {3};
    uint64_t most[3] = {0};
    for (unsigned nth = 0; nth < 3; nth++) {
        for (int i = 0; i < 2000; i++) {
            uint64_t ms = rpc_retry_backoff_ms(nth, &random);
            most[nth] = ms > most[nth] ? ms : most[nth];
        }
        assert_in_range(most[nth], (24u << nth), (25u << nth));
    }
    assert_true(rpc_retry_hedge_ms(19, 50000) == RPC_NO_HEDGE);
    assert_true(rpc_retry_hedge_ms(20, 500) == 20);
    assert_true(rpc_retry_hedge_ms(20, 50001) == 51);
}

static void the_breaker_opens_probes_and_closes(void **state)
{
    (void)state;
    struct rpc_breaker breaker = {0};
    uint64_t now = 50000;
    for (int i = 0; i < 19; i++)
        rpc_breaker_result(&breaker, now, false);
    assert_true(rpc_breaker_allows(&breaker, now)); /* too few */
    rpc_breaker_result(&breaker, now, false);
    assert_false(rpc_breaker_allows(&breaker, now));
    assert_false(rpc_breaker_allows(&breaker, now + 999));
    assert_true(rpc_breaker_allows(&breaker, now + 1000)); /* the probe */
    assert_false(rpc_breaker_allows(&breaker, now + 1001));
    rpc_breaker_result(&breaker, now + 1100, false);
    assert_false(rpc_breaker_allows(&breaker, now + 1999));
    assert_true(rpc_breaker_allows(&breaker, now + 2000));
    rpc_breaker_result(&breaker, now + 2100, true);
    assert_true(rpc_breaker_allows(&breaker, now + 2101));
    rpc_breaker_result(&breaker, now + 2102, false); /* starts anew */
    assert_true(rpc_breaker_allows(&breaker, now + 2103));
}

static void half_failing_is_not_yet_broken(void **state)
{
    (void)state;
    struct rpc_breaker breaker = {0};
    for (int i = 0; i < 100; i++)
        rpc_breaker_result(&breaker, 1000, i % 2 == 0);
    assert_true(rpc_breaker_allows(&breaker, 1000));
    rpc_breaker_result(&breaker, 1000, false);
    assert_false(rpc_breaker_allows(&breaker, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_forgets_after_ten_seconds),
        cmocka_unit_test(quantiles_are_at_most_a_quarter_too_large),
        cmocka_unit_test(the_nth_slowest_is_found),
        cmocka_unit_test(the_less_loaded_of_two_is_chosen),
        cmocka_unit_test(outliers_stand_out_by_failures_rate_or_latency),
        cmocka_unit_test(half_of_the_replicas_always_stay),
        cmocka_unit_test(ejections_grow_to_a_bound),
        cmocka_unit_test(reads_are_retried_twice_and_writes_only_when_safe),
        cmocka_unit_test(the_budget_is_a_fifth_and_at_least_three),
        cmocka_unit_test(back_off_doubles_and_hedges_wait_for_the_p95),
        cmocka_unit_test(the_breaker_opens_probes_and_closes),
        cmocka_unit_test(half_failing_is_not_yet_broken),
    };
    return cmocka_run_group_tests_name("rpc_policy", tests, NULL, NULL);
}
