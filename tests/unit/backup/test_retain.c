#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/backup/retain/retain.h"

enum { DAY_S = 86400, DAYS = 400 };

static const double now = 1769860800; /* 2026-01-31 12:00, a Saturday */

static struct retain_set sets[DAYS];

/* One a day, newest first. */
static void daily_sets(bool verified)
{
    for (size_t i = 0; i < DAYS; i++)
        sets[i] = (struct retain_set){
            .kind = "full", .created_at = now - (double)i * DAY_S, .verified = verified};
}

static size_t kept(void)
{
    size_t count = 0;

    for (size_t i = 0; i < DAYS; i++)
        count += sets[i].reason != NULL;
    return count;
}

static void days_are_kept(void **state)
{
    (void)state;
    daily_sets(true);
    retain_judge(&(struct retain_rules){.days = 30}, now, sets, DAYS);
    assert_int_equal(kept(), 31);
    assert_non_null(sets[30].reason);
    assert_null(sets[31].reason);
}

static void grandfather_father_son(void **state)
{
    struct retain_rules rules = {.daily = 7, .weekly = 4, .monthly = 6};

    (void)state;
    daily_sets(true);
    retain_judge(&rules, now, sets, DAYS);
    for (size_t i = 0; i < 7; i++)
        assert_non_null(sets[i].reason);
    /* Sundays: the 25th, 18th, 11th; this week's newest is a daily one already */
    assert_null(sets[7].reason);
    assert_string_equal(sets[13].reason, "weekly");
    assert_string_equal(sets[20].reason, "weekly");
    /* the last days of December to August */
    assert_string_equal(sets[31].reason, "monthly");
    assert_string_equal(sets[62].reason, "monthly");
    assert_string_equal(sets[92].reason, "monthly");
    assert_int_equal(kept(), 7 + 2 + 5);
}

static void either_rule_keeps_a_set(void **state)
{
    (void)state;
    daily_sets(true);
    retain_judge(&(struct retain_rules){.days = 2, .count = 5}, now, sets, DAYS);
    assert_int_equal(kept(), 5);
}

static void the_last_verified_one_stays(void **state)
{
    (void)state;
    daily_sets(false);
    sets[300].verified = true;
    sets[350].verified = true;
    retain_judge(&(struct retain_rules){.days = 3}, now, sets, DAYS);
    assert_string_equal(sets[300].reason, "the newest verified one");
    assert_null(sets[350].reason);
    assert_int_equal(kept(), 4 + 1);
}

static void checksums_do_not_push_out_what_was_restored(void **state)
{
    (void)state;
    daily_sets(true);
    sets[200].restored = true;
    sets[250].restored = true;
    retain_judge(&(struct retain_rules){.count = 2}, now, sets, DAYS);
    assert_string_equal(sets[200].reason, "the newest restored one");
    assert_null(sets[250].reason);
    assert_int_equal(kept(), 2 + 1);
}

static void the_newest_stays_however_old(void **state)
{
    (void)state;
    daily_sets(false);
    retain_judge(&(struct retain_rules){.days = 1}, now + 1000.0 * DAY_S, sets, DAYS);
    assert_int_equal(kept(), 1);
    assert_non_null(sets[0].reason);
}

static void kinds_do_not_count_for_each_other(void **state)
{
    (void)state;
    daily_sets(true);
    sets[399].kind = "files";
    retain_judge(&(struct retain_rules){.count = 2}, now, sets, DAYS);
    assert_int_equal(kept(), 3);
    assert_non_null(sets[399].reason);
}

static void without_rules_nothing_goes(void **state)
{
    (void)state;
    daily_sets(false);
    retain_judge(&(struct retain_rules){0}, now, sets, DAYS);
    assert_int_equal(kept(), DAYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_kept),
        cmocka_unit_test(grandfather_father_son),
        cmocka_unit_test(either_rule_keeps_a_set),
        cmocka_unit_test(the_last_verified_one_stays),
        cmocka_unit_test(checksums_do_not_push_out_what_was_restored),
        cmocka_unit_test(the_newest_stays_however_old),
        cmocka_unit_test(kinds_do_not_count_for_each_other),
        cmocka_unit_test(without_rules_nothing_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
