#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "services/backup/schedule/due.h"
#include "services/backup/schedule/zone.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const double monday = 1769990400; /* 2026-02-02 00:00 UTC */

static struct cron every_night(void)
{
    struct cron cron;
    char fault[128];

    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    tzset();
    assert_int_equal(cron_parse("0 2 * * *", &cron, fault), SH_OK);
    return cron;
}

static void assert_at(double got, double expected)
{
    assert_int_equal((int64_t)got, (int64_t)expected);
}

/* What a service does that looks every five seconds; a set is there as soon as it begins.
 * How many sets it makes from `started` to `end`, the newest being of `last`. */
static int sets_made(const struct cron *cron, double last, double started, double end,
                     unsigned jitter_s)
{
    struct due due = {0};
    int made = 0;

    for (int i = 0; started + i * 5.0 < end; i++) {
        double now = started + i * 5.0;
        double next = due_next(cron, last, started);
        double jitter = due_jitter("a replica", next, jitter_s);
        if (!due_now(&due, next, jitter, started, now))
            continue;
        due_succeeded(&due);
        last = now;
        made++;
    }
    return made;
}

static void missed_times_are_made_up_by_one_set(void **state)
{
    struct cron cron = every_night();

    (void)state;
    /* down for ten days: one at once, and one each night from then on */
    assert_int_equal(
        sets_made(&cron, monday, monday + 10 * DAY, monday + 10 * DAY + MINUTE, 0), 1);
    assert_int_equal(sets_made(&cron, monday, monday + 10 * DAY, monday + 12 * DAY, 600),
                     3);
    /* nothing was missed: none before the night */
    assert_int_equal(
        sets_made(&cron, monday + 3 * HOUR, monday + 4 * HOUR, monday + DAY + HOUR, 0),
        0);
    /* nor before the first set of all */
    assert_int_equal(sets_made(&cron, 0, monday + 4 * HOUR, monday + DAY + HOUR, 0), 0);
    assert_int_equal(sets_made(&cron, 0, monday + 4 * HOUR, monday + DAY + 3 * HOUR, 0),
                     1);
}

static void the_next_time_is_behind_the_newest_set(void **state)
{
    struct cron cron = every_night();

    (void)state;
    assert_at(due_next(&cron, monday, monday + 5 * DAY), monday + 2 * HOUR);
    assert_at(due_next(&cron, monday + 2 * HOUR, monday), monday + DAY + 2 * HOUR);
    assert_at(due_next(&cron, monday + 2 * HOUR + 0.25, monday), monday + DAY + 2 * HOUR);
    assert_at(due_next(&cron, 0, monday + 3 * HOUR), monday + DAY + 2 * HOUR);
}

static void jitter_is_bounded_and_a_replicas_own(void **state)
{
    unsigned differ = 0;
    unsigned high = 0;

    (void)state;
    for (int day = 0; day < 200; day++) {
        double due = monday + day * (double)DAY;
        double one = due_jitter("one tcp://127.0.0.1:5604", due, 600);
        double other = due_jitter("two tcp://127.0.0.1:5604", due, 600);
        assert_true(one >= 0 && one <= 600);
        assert_at(due_jitter("one tcp://127.0.0.1:5604", due, 600), one);
        assert_at(due_jitter("one tcp://127.0.0.1:5604", due, 0), 0);
        differ += (unsigned)(one != other);
        high += (unsigned)(one > 300);
    }
    assert_true(differ > 190);
    assert_in_range(high, 60, 140); /* over the whole of it */
}

static void jitter_counts_from_the_time_or_from_the_start(void **state)
{
    struct due due = {0};
    double at = monday + 2 * HOUR;

    (void)state;
    assert_false(due_now(&due, at, 30, monday, at - 1));
    assert_false(due_now(&due, at, 30, monday, at + 29));
    assert_true(due_now(&due, at, 30, monday, at + 30));
    /* missed: from the beginning of the process */
    assert_false(due_now(&due, at, 30, at + HOUR, at + HOUR + 29));
    assert_true(due_now(&due, at, 30, at + HOUR, at + HOUR + 30));
    assert_false(due_now(&due, 0, 0, monday, monday + DAY)); /* never */
}

static void failures_are_repeated_ever_later(void **state)
{
    static const double pauses[] = {1, 2, 4, 8, 16, 32, 32, 32};
    struct due due = {0};
    double now = monday + 2 * HOUR;

    (void)state;
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        due_failed(&due, now);
        double again = now + pauses[i] * MINUTE;
        assert_false(due_now(&due, monday, 0, monday, again - 1));
        assert_true(due_now(&due, monday, 0, monday, again));
        now = again;
    }
    due_succeeded(&due);
    due_failed(&due, now);
    assert_true(due_now(&due, monday, 0, monday, now + MINUTE));
}

static void late_is_an_hour_and_the_jitter(void **state)
{
    (void)state;
    assert_false(due_late(monday, 600, monday + HOUR + 600));
    assert_true(due_late(monday, 600, monday + HOUR + 601));
    assert_false(due_late(0, 600, monday)); /* never due */
}

static void nobody_works_in_a_zone_that_does_not_exist(void **state)
{
    static const char *const wrong[] = {
        "Mars/Olympus", "../etc/passwd", "Europe", "berlin", "/etc/passwd", "<+1", "E1"};
    static const char *const right[] = {"",
                                        "UTC",
                                        "Europe/Berlin",
                                        "America/Argentina/Ushuaia",
                                        "CET-1CEST,M3.5.0,M10.5.0/3",
                                        "<+0330>-3:30"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (zone_use(wrong[i]) == SH_OK)
            fail_msg("taken: %s", wrong[i]);
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        if (zone_use(right[i]) != SH_OK)
            fail_msg("refused: %s", right[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missed_times_are_made_up_by_one_set),
        cmocka_unit_test(the_next_time_is_behind_the_newest_set),
        cmocka_unit_test(jitter_is_bounded_and_a_replicas_own),
        cmocka_unit_test(jitter_counts_from_the_time_or_from_the_start),
        cmocka_unit_test(failures_are_repeated_ever_later),
        cmocka_unit_test(late_is_an_hour_and_the_jitter),
        cmocka_unit_test(nobody_works_in_a_zone_that_does_not_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
