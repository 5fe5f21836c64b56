#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/backup/schedule/cron.h"

static void zone(const char *name)
{
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
}

static time_t at(const char *text)
{
    struct tm tm = {0};

    assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
    return timegm(&tm);
}

/* Both in UTC, whatever the zone. */
static void assert_next(const char *expression, const char *after, const char *expected)
{
    char fault[128] = "";
    char got[32] = "never";
    struct cron cron;

    if (cron_parse(expression, &cron, fault) != SH_OK)
        fail_msg("%s: %s", expression, fault);
    time_t next = cron_next(&cron, at(after));
    struct tm tm;
    if (next != 0 && gmtime_r(&next, &tm) != NULL)
        (void)strftime(got, sizeof(got), "%Y-%m-%d %H:%M", &tm);
    assert_string_equal(got, expected);
}

static void the_next_time_is_found(void **state)
{
    (void)state;
    zone("UTC");
    assert_next("0 2 * * *", "2026-01-31 01:59", "2026-01-31 02:00");
    assert_next("0 2 * * *", "2026-01-31 02:00", "2026-02-01 02:00");
    assert_next("*/15 * * * *", "2026-01-31 23:50", "2026-02-01 00:00");
    assert_next("5,35 8-10 * * *", "2026-01-31 08:06", "2026-01-31 08:35");
    assert_next("0 3 * * 0", "2026-01-31 00:00", "2026-02-01 03:00");
    assert_next("0 3 * * 7", "2026-01-31 00:00", "2026-02-01 03:00");
    assert_next("0 3 * * sun", "2026-01-31 00:00", "2026-02-01 03:00");
    assert_next("0 0 1 jan *", "2026-01-31 00:00", "2027-01-01 00:00");
    assert_next("@monthly", "2026-01-31 00:00", "2026-02-01 00:00");
    assert_next("0 0 29 2 *", "2026-01-31 00:00", "2028-02-29 00:00");
    assert_next("0 0 30 2 *", "2026-01-31 00:00", "never");
    assert_next("10/20 * * * *", "2026-01-31 00:11", "2026-01-31 00:30");
}

static void either_day_field_will_do(void **state)
{
    (void)state;
    zone("UTC");
    /* the 15th, or a Monday */
    assert_next("0 0 15 * 1", "2026-01-10 00:00", "2026-01-12 00:00");
    assert_next("0 0 15 * 1", "2026-01-13 00:00", "2026-01-15 00:00");
}

static void what_spring_leaps_over_is_due_at_the_leap(void **state)
{
    (void)state;
    zone("Europe/Berlin"); /* 2026-03-29: 02:00 is followed by 03:00, 01:00 UTC */
    assert_next("30 2 * * *", "2026-03-28 12:00", "2026-03-29 01:00");
    assert_next("30 2 * * *", "2026-03-29 01:00", "2026-03-30 00:30");
    assert_next("0 2 * * *", "2026-03-28 12:00", "2026-03-29 01:00");
    assert_next("0 4 * * *", "2026-03-28 12:00", "2026-03-29 02:00");
}

static void what_autumn_repeats_is_due_once(void **state)
{
    (void)state;
    zone("Europe/Berlin"); /* 2026-10-25: 02:00 to 03:00 comes twice, from 00:00 UTC */
    assert_next("30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:30");
    assert_next("30 2 * * *", "2026-10-25 00:30", "2026-10-26 01:30");
    zone("America/New_York"); /* 2026-11-01 */
    assert_next("30 1 * * *", "2026-10-31 12:00", "2026-11-01 05:30");
    assert_next("30 1 * * *", "2026-11-01 05:30", "2026-11-02 06:30");
}

static void nonsense_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "* * * *",
                                        "* * * * * *",
                                        "60 * * * *",
                                        "* 24 * * *",
                                        "* * 0 * *",
                                        "* * * 13 *",
                                        "* * * * 8",
                                        "5- * * * *",
                                        "8-5 * * * *",
                                        "*/0 * * * *",
                                        "a * * * *",
                                        "1,,2 * * * *",
                                        ",1 * * * *",
                                        "1, * * * *",
                                        "@never",
                                        "-1 * * * *",
                                        "*5 * * * *",
                                        "1/ * * * *",
                                        "99999999999 * * * *"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char fault[128] = "";
        struct cron cron;
        if (cron_parse(wrong[i], &cron, fault) == SH_OK)
            fail_msg("taken: %s", wrong[i]);
        assert_true(fault[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_found),
        cmocka_unit_test(either_day_field_will_do),
        cmocka_unit_test(what_spring_leaps_over_is_due_at_the_leap),
        cmocka_unit_test(what_autumn_repeats_is_due_once),
        cmocka_unit_test(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
