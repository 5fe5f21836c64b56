#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "services/gateway/limits/quota.h"

#define SECOND_US UINT64_C(1000000)

static void assert_lines(const struct quota *quota, const char *lines)
{
    assert_int_equal(quota->len, strlen(lines));
    assert_memory_equal(quota->lines, lines, quota->len);
}

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
    assert_lines(&quota, "RateLimit-Policy: \"minute\";q=60;w=60, \"api\";q=20;w=2\r\n"
                         "RateLimit: \"minute\";r=12;t=48\r\n"
                         "X-RateLimit-Limit: 60\r\n"
                         "X-RateLimit-Remaining: 12\r\n"
                         "X-RateLimit-Reset: 1700000047\r\n");
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
    assert_lines(&quota, "RateLimit-Policy: \"minute\";q=60;w=60, \"api\";q=20;w=2\r\n"
                         "RateLimit: \"api\";r=0;t=2\r\n"
                         "X-RateLimit-Limit: 20\r\n"
                         "X-RateLimit-Remaining: 0\r\n"
                         "X-RateLimit-Reset: 1700000002\r\n");
    assert_int_equal(quota.retry_after_s, 1);
}

static void assert_begins(const struct quota *quota, const char *line)
{
    assert_true(quota->len > strlen(line));
    assert_memory_equal(quota->lines, line, strlen(line));
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
        assert_begins(&quota,
                      "RateLimit-Policy: \"minute\";q=60;w=60, \"api\";q=20;w=2\r\n");
        quota_write(&other, 1700000000, &quota);
        assert_begins(&quota, "RateLimit-Policy: \"minute\";q=30;w=30\r\n");
    }
}

static void the_longest_lines_fit(void **state)
{
    static const char name[2 * QUOTA_NAME] =
        "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
    struct limiter_ask ask = {.count = LIMITER_BUCKETS, .admitted = true};
    struct quota quota;
    (void)state;
    for (size_t i = 0; i < LIMITER_BUCKETS; i++) {
        ask.buckets[i].rule = (struct bucket_rule){
            .name = name, .capacity = UINT32_MAX, .interval_us = UINT64_MAX};
        ask.results[i].state =
            (struct ledger_state){.remaining = UINT32_MAX, .reset_us = UINT64_MAX};
    }
    quota_write(&ask, 1e12, &quota);
    assert_true(quota.len <= sizeof quota.lines);
    assert_begins(&quota, "RateLimit-Policy: \"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\";q=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admitted_request_hears_of_the_bucket_with_the_least_left),
        cmocka_unit_test(a_refused_one_hears_of_the_longest_wait),
        cmocka_unit_test(the_policy_is_that_of_the_own_rules),
        cmocka_unit_test(the_longest_lines_fit),
    };
    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
