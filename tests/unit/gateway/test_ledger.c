/* What a gateway gives away by itself: leases, shares, and what is owed. Time is an
 * argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/gateway/limits/ledger.h"
#include "shared/mem.h"

#define SECOND UINT64_C(1000000)
#define START  (1000 * SECOND)

struct fixture {
    struct ledger *ledger;
    struct ledger_bucket bucket; /* 60 a minute */
    struct ledger_result result;
    uint64_t now_us;
};

static int set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.now_us = START};
    f.bucket = (struct ledger_bucket){sh_bytes_of("cairn:limit:minute:user:ann"),
                                      bucket_rule("minute", 60, 60 * SECOND, 60)};
    assert_int_equal(ledger_create(1024, &f.ledger), SH_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ledger_free(&f->ledger);
    ledger_free(&f->ledger);
    return 0;
}

static enum ledger_outcome spend(struct fixture *f, uint32_t gateways)
{
    ledger_spend(f->ledger, &f->bucket, gateways, f->now_us, &f->result);
    return f->result.outcome;
}

/* As Redis would answer an order: `granted` of a bucket that is then full in `reset_s`.
 */
static void learn(struct fixture *f, uint32_t granted, uint64_t reset_s,
                  uint64_t retry_ms)
{
    const struct ledger_state said = {.reset_us = reset_s * SECOND,
                                      .retry_us = retry_ms * 1000};

    ledger_learn(f->ledger, &f->bucket, &f->result, granted, &said, f->now_us);
}

/* --- arithmetic ------------------------------------------------------------------- */

static void a_bucket_gives_what_it_holds_and_refills(void **state)
{
    struct bucket_rule rule = bucket_rule("x", 60, 60 * SECOND, 60);
    uint64_t full = 0;

    (void)state;
    for (int i = 0; i < 60; i++)
        assert_true(bucket_take(&rule, &full, START));
    assert_false(bucket_take(&rule, &full, START));
    assert_int_equal(bucket_wait_us(&rule, full, START), SECOND);
    assert_false(bucket_take(&rule, &full, START + SECOND - 1));
    assert_true(bucket_take(&rule, &full, START + SECOND));
    assert_int_equal(bucket_tokens(&rule, full, START + 11 * SECOND), 10);
    assert_int_equal(bucket_tokens(&rule, full, START + 3600 * SECOND), 60);
}

static void a_rule_never_gives_more_than_it_says(void **state)
{
    static const struct {
        double count;
        uint64_t period_us;
        uint32_t capacity;
    } cases[] = {{7, 60 * SECOND, 7},
                 {0.3, SECOND, 5},
                 {500, 3600 * SECOND, 500},
                 {10, SECOND, 20},
                 {1e9, 60 * SECOND, 1000000000},
                 {1, 86400 * SECOND, 1}};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct bucket_rule rule =
            bucket_rule("x", cases[i].count, cases[i].period_us, cases[i].capacity);
        assert_true((double)rule.interval_us * cases[i].count >=
                    (double)cases[i].period_us);
        assert_int_equal(bucket_tokens(&rule, 0, START), cases[i].capacity);
    }
    assert_int_equal(bucket_rule("x", 0, SECOND, 5).capacity, 0);
}

static void shares_add_up_to_the_limit(void **state)
{
    struct bucket_rule rule = bucket_rule("x", 60, 60 * SECOND, 60);

    (void)state;
    for (uint32_t n = 1; n <= 60; n++) {
        struct bucket_rule share = bucket_share(&rule, n);
        assert_true(share.capacity * n <= 60);
        assert_int_equal(share.interval_us, n * SECOND);
    }
    assert_int_equal(bucket_share(&rule, 100).capacity, 1); /* nobody is shut out */
    assert_int_equal(bucket_share(&rule, 100).interval_us, 100 * SECOND);
}

/* --- leases ----------------------------------------------------------------------- */

static void an_unknown_bucket_is_asked_for_one_token(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.want, 1);
    assert_int_equal(f->result.owed_us, 0);
}

static void demand_doubles_the_lease_until_it_lasts(void **state)
{
    struct fixture *f = *state;
    uint32_t want = 1;

    for (int i = 0; i < 6; i++) {
        assert_int_equal(spend(f, 0), LEDGER_ASK);
        assert_int_equal(f->result.want, want);
        learn(f, want, 1, 0);
        for (uint32_t n = 1; n < want; n++)
            assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
        want *= 2;
    }
    f->now_us += LEDGER_LEASE_US; /* of the last 32, 31 were spent from here */
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.want, 32);
    learn(f, 1, 1, 0);
    f->now_us += 10 * SECOND;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.want, 1); /* forgotten */
}

static void a_lease_is_not_spent_after_its_time(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 8, 8, 0);
    assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
    assert_int_equal(f->result.state.remaining, 52 + 6);
    f->now_us += LEDGER_LEASE_US;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.want, 2);
    /* and the six that were left are credited */
    assert_int_equal(f->result.owed_us, -6 * (int64_t)SECOND);
    learn(f, 1, 1, 0);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 0);
}

static void what_is_left_of_a_lease_is_collected_once(void **state)
{
    struct fixture *f = *state;
    struct ledger_return returns[4];

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 8, 8, 0);
    assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
    f->now_us += LEDGER_LEASE_US - 1;
    assert_int_equal(ledger_collect(f->ledger, f->now_us, returns, 4), 0);
    f->now_us++;
    assert_int_equal(ledger_collect(f->ledger, f->now_us, returns, 4), 1);
    assert_int_equal(returns[0].owed_us, -6 * (int64_t)SECOND);
    assert_int_equal(returns[0].rule.interval_us, SECOND);
    assert_memory_equal(returns[0].key, f->bucket.key.data, returns[0].key_len);
    assert_int_equal(ledger_collect(f->ledger, f->now_us, returns, 4), 0);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 0);
}

static void many_leases_are_collected_in_turns(void **state)
{
    enum { MANY = 300, AT_ONCE = 32 };
    struct fixture *f = *state;
    struct ledger_return returns[AT_ONCE];
    char key[64] = "";
    size_t all = 0, n;

    for (int i = 0; i < MANY; i++) {
        f->bucket.key = (struct sh_bytes){key, (size_t)sprintf(key, "key-%d", i)};
        assert_int_equal(spend(f, 0), LEDGER_ASK);
        learn(f, 2, 2, 0);
    }
    f->now_us += LEDGER_LEASE_US;
    while ((n = ledger_collect(f->ledger, f->now_us, returns, AT_ONCE)) > 0)
        all += n;
    assert_int_equal(all, MANY);
}

static void an_unused_token_goes_back_to_its_lease(void **state)
{
    struct fixture *f = *state;
    struct ledger_return returns[1];

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 3, 3, 0);
    assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
    ledger_unspend(f->ledger, &f->bucket, 0, &f->result);
    assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
    assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
    struct ledger_result spent = f->result;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 2, 2, 0);
    f->now_us += LEDGER_LEASE_US;
    assert_int_equal(ledger_collect(f->ledger, f->now_us, returns, 1), 1);
    ledger_unspend(f->ledger, &f->bucket, 0, &spent); /* too late: lost, not doubled */
    assert_int_equal(ledger_collect(f->ledger, f->now_us, returns, 1), 0);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 0);
}

static void two_orders_end_with_the_older_lease(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    struct ledger_result other = f->result;
    learn(f, 4, 4, 0);
    f->now_us += LEDGER_LEASE_US / 2;
    f->result = other;
    learn(f, 4, 8, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spend(f, 0), LEDGER_SPENT_LEASE);
    f->now_us += LEDGER_LEASE_US / 2;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, -3 * (int64_t)SECOND);
}

static void an_empty_bucket_is_not_asked_again_at_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 0, 60, 400);
    f->now_us += 399999;
    assert_int_equal(spend(f, 0), LEDGER_EMPTY);
    assert_true(f->result.state.retry_us > 0);
    f->now_us += 1;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 0, 60, 3600000); /* hours: others may hand back before that */
    f->now_us += LEDGER_BLOCK_US - 1;
    assert_int_equal(spend(f, 0), LEDGER_EMPTY);
    f->now_us += 1;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
}

/* --- Redis away ------------------------------------------------------------------- */

static void without_redis_a_gateway_gives_its_share(void **state)
{
    struct fixture *f = *state;
    int given = 0;

    while (spend(f, 4) == LEDGER_SPENT_SHARE)
        given++;
    assert_int_equal(given, 15);
    assert_int_equal(f->result.outcome, LEDGER_EMPTY);
    assert_int_equal(f->result.state.retry_us, 4 * SECOND);
    f->now_us += 4 * SECOND;
    assert_int_equal(spend(f, 4), LEDGER_SPENT_SHARE);
    assert_int_equal(spend(f, 4), LEDGER_EMPTY);
}

/* What Redis said last still holds: a caller who had spent it all has nothing. */
static void losing_redis_gives_nobody_a_new_bucket(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 0, 60, 1000);
    assert_int_equal(spend(f, 2), LEDGER_EMPTY);
    f->now_us += LEDGER_BLOCK_US;
    assert_int_equal(spend(f, 2), LEDGER_EMPTY); /* half a token */
    f->now_us += SECOND;
    assert_int_equal(spend(f, 2), LEDGER_SPENT_SHARE);

    f->bucket.key = sh_bytes_of("another");
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 1, 30, 0); /* half spent */
    int given = 0;
    while (spend(f, 2) == LEDGER_SPENT_SHARE)
        given++;
    assert_int_equal(given, 15);
}

static void leased_tokens_are_good_without_redis(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 3, 60, 0);
    assert_int_equal(spend(f, 2), LEDGER_SPENT_LEASE);
    assert_int_equal(spend(f, 2), LEDGER_SPENT_LEASE);
    assert_int_equal(spend(f, 2), LEDGER_EMPTY);
}

static void redis_is_told_what_was_spent_without_it(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        assert_int_equal(spend(f, 2), LEDGER_SPENT_SHARE);
    ledger_unspend(f->ledger, &f->bucket, 2, &f->result);
    f->now_us += SECOND; /* one has been refilled since */
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 3 * (int64_t)SECOND);
    struct ledger_result lost = f->result;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 0);                  /* it is on its way */
    ledger_unasked(f->ledger, &f->bucket, &lost, f->now_us); /* but does not arrive */
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 3 * (int64_t)SECOND);
}

static void what_is_owed_can_be_told_before_it_is_asked(void **state)
{
    struct fixture *f = *state;
    struct ledger_return returns[2];

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 1, 20, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(spend(f, 2), LEDGER_SPENT_SHARE);
    assert_int_equal(ledger_collect_owed(f->ledger, f->now_us, returns, 0), 0);
    assert_int_equal(ledger_collect_known(f->ledger, f->now_us, returns, 2), 0);
    ledger_doubt(f->ledger);
    assert_int_equal(ledger_collect_known(f->ledger, f->now_us, returns, 2), 1);
    assert_int_equal(returns[0].owed_us, 0);
    assert_int_equal(returns[0].least_us, 20 * SECOND);
    assert_int_equal(ledger_collect_known(f->ledger, f->now_us, returns, 2), 0);
    assert_int_equal(ledger_collect_owed(f->ledger, f->now_us, returns, 2), 1);
    assert_int_equal(returns[0].owed_us, 3 * (int64_t)SECOND);
    assert_int_equal(returns[0].least_us, 20 * SECOND);
    assert_memory_equal(returns[0].key, f->bucket.key.data, returns[0].key_len);
    assert_int_equal(ledger_collect_owed(f->ledger, f->now_us, returns, 2), 0);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 0);
}

static void a_redis_that_may_have_forgotten_is_reminded_once(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.least_us, 0);
    learn(f, 1, 40, 0);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.least_us, 0);
    ledger_doubt(f->ledger);
    f->now_us += SECOND;
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.least_us, 39 * SECOND);
    learn(f, 1, 40, 0);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.least_us, 0);
    ledger_remind(f->ledger, &f->bucket, f->now_us, &f->result);
    assert_int_equal(f->result.least_us, 40 * SECOND);
}

/* --- room ------------------------------------------------------------------------- */

static void the_least_recently_used_are_forgotten(void **state)
{
    struct fixture *f = *state;
    struct sh_bytes ann = f->bucket.key;
    char key[64] = "";

    assert_int_equal(spend(f, 0), LEDGER_ASK);
    learn(f, 0, 60, 900);
    for (int i = 0; i < 100000; i++) {
        f->bucket.key = (struct sh_bytes){key, (size_t)sprintf(key, "key-%d", i)};
        assert_int_equal(spend(f, 2), LEDGER_SPENT_SHARE);
        if (i % 8 == 0) { /* used again and again: kept */
            f->bucket.key = ann;
            assert_int_equal(spend(f, 0), LEDGER_EMPTY);
        }
    }
    f->bucket.key = sh_bytes_of("key-0");
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    assert_int_equal(f->result.owed_us, 0);
}

static void without_memory_nothing_is_given_away(void **state)
{
    struct fixture *f = *state;
    struct ledger *none = NULL;

    sh_mem_fail_after(0);
    assert_int_equal(spend(f, 2), LEDGER_EMPTY);
    sh_mem_fail_after(0);
    assert_int_equal(ledger_create(1, &none), SH_NOMEM);
    sh_mem_fail_after(-1);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
    sh_mem_fail_after(0);
    learn(f, 8, 8, 0);
    sh_mem_fail_after(-1);
    assert_int_equal(spend(f, 0), LEDGER_ASK);
}

static void a_key_that_is_too_long_is_never_kept(void **state)
{
    struct fixture *f = *state;
    char key[LEDGER_KEY + 1];

    memset(key, 'k', sizeof key);
    f->bucket.key = (struct sh_bytes){key, LEDGER_KEY};
    assert_int_equal(spend(f, 2), LEDGER_SPENT_SHARE);
    f->bucket.key.len = LEDGER_KEY + 1;
    assert_int_equal(spend(f, 2), LEDGER_EMPTY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bucket_gives_what_it_holds_and_refills),
        TEST(a_rule_never_gives_more_than_it_says),
        TEST(shares_add_up_to_the_limit),
        TEST(an_unknown_bucket_is_asked_for_one_token),
        TEST(demand_doubles_the_lease_until_it_lasts),
        TEST(a_lease_is_not_spent_after_its_time),
        TEST(what_is_left_of_a_lease_is_collected_once),
        TEST(many_leases_are_collected_in_turns),
        TEST(an_unused_token_goes_back_to_its_lease),
        TEST(two_orders_end_with_the_older_lease),
        TEST(an_empty_bucket_is_not_asked_again_at_once),
        TEST(without_redis_a_gateway_gives_its_share),
        TEST(losing_redis_gives_nobody_a_new_bucket),
        TEST(leased_tokens_are_good_without_redis),
        TEST(redis_is_told_what_was_spent_without_it),
        TEST(what_is_owed_can_be_told_before_it_is_asked),
        TEST(a_redis_that_may_have_forgotten_is_reminded_once),
        TEST(the_least_recently_used_are_forgotten),
        TEST(without_memory_nothing_is_given_away),
        TEST(a_key_that_is_too_long_is_never_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
