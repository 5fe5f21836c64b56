#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "services/gateway/limits/quota.h"

#define SECOND_US UINT64_C(1000000)

static struct limiter_ask two_buckets(void)
{
    return (struct limiter_ask){
        .buckets = {{.rule = bucket_rule("minute", 60, 60 * SECOND_US, 60)},
                    {.rule = bucket_rule("api", 10, SECOND_US, 20)}},
        .count = 2,
        .admitted = true,
        .results = {{.outcome = LEDGER_SPENT_LEASE,
                     .state = {.remaining = 12, .reset_us = 47 * SECOND_US + 1}},
                    {.outcome = LEDGER_SPENT_LEASE,
                     .state = {.remaining = 19, .reset_us = 100000}}},
    };
}

static void an_admitted_request_hears_of_the_bucket_with_the_least_left(void **state)
{
    struct limiter_ask ask = two_buckets();
    struct quota quota;
    (void)state;
    quota_write(&ask, 1700000000.25, &quota);
    assert_string_equal(quota.policy, "\"minute\";q=60;w=60, \"api\";q=20;w=2");
    assert_string_equal(quota.standing, "\"minute\";r=12;t=48");
    assert_string_equal(quota.limit, "60");
    assert_string_equal(quota.remaining, "12");
    assert_string_equal(quota.reset, "1700000047");
    assert_string_equal(quota.bucket, "minute");
    assert_int_equal(quota.retry_after_s, 0);
}

static void a_refused_one_hears_of_the_longest_wait(void **state)
{
    struct limiter_ask ask = two_buckets();
    struct quota quota;
    (void)state;
    ask.admitted = false;
    ask.results[1] =
        (struct ledger_result){.outcome = LEDGER_EMPTY,
                               .state = {.reset_us = 2 * SECOND_US, .retry_us = 100000}};
    quota_write(&ask, 1700000000, &quota);
    assert_string_equal(quota.standing, "\"api\";r=0;t=2");
    assert_string_equal(quota.limit, "20");
    assert_string_equal(quota.remaining, "0");
    assert_string_equal(quota.reset, "1700000002");
    assert_int_equal(quota.retry_after_s, 1);
}

static void the_policy_is_that_of_the_own_rules(void **state)
{
    struct limiter_ask ask = two_buckets(), other = two_buckets();
    struct quota quota;
    (void)state;
    other.count = 1;
    other.buckets[0].rule.capacity = 30;
    for (int i = 0; i < 2; i++) {
        quota_write(&ask, 1700000000, &quota);
        assert_string_equal(quota.policy, "\"minute\";q=60;w=60, \"api\";q=20;w=2");
        quota_write(&other, 1700000000, &quota);
        assert_string_equal(quota.policy, "\"minute\";q=30;w=30");
    }
}

static void what_does_not_fit_is_left_out(void **state)
{
    char name[2 * QUOTA_TEXT];
    struct limiter_ask ask = two_buckets();
    struct quota quota;
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ask.buckets[0].rule.name = name;
    ask.buckets[0].rule.capacity = UINT32_MAX;
    quota_write(&ask, 1700000000, &quota);
    assert_int_equal(strlen(quota.policy), QUOTA_TEXT - 1);
    assert_int_equal(strlen(quota.standing), QUOTA_TEXT - 1);
    assert_string_equal(quota.limit, "4294967295");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admitted_request_hears_of_the_bucket_with_the_least_left),
        cmocka_unit_test(a_refused_one_hears_of_the_longest_wait),
        cmocka_unit_test(the_policy_is_that_of_the_own_rules),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
