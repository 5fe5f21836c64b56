/* cron_next() beside a slow one that looks at every minute, around the days on which the
 * clocks of several zones are changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/backup/schedule/cron.h"
#include "shared/bytes.h"

enum { MINUTE_S = 60, DAY_S = 86400, DAYS = 4, MINUTES = DAYS * 24 * 60 };

static void zone(const char *name)
{
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
}

static time_t day_of(const char *text)
{
    struct tm tm = {0};

    assert_non_null(strptime(text, "%Y-%m-%d", &tm));
    return timegm(&tm);
}

static bool fits(const struct cron *cron, const struct tm *tm)
{
    bool day = (cron->days >> tm->tm_mday & 1) != 0;
    bool weekday = (cron->weekdays >> tm->tm_wday & 1) != 0;
    bool either = !cron->any_day && !cron->any_weekday;

    return (cron->minutes >> tm->tm_min & 1) != 0 &&
           (cron->hours >> tm->tm_hour & 1) != 0 &&
           (cron->months >> (tm->tm_mon + 1) & 1) != 0 &&
           (either ? day || weekday : day && weekday);
}

/* What the clock shows, as if it were UTC: it leaps forward, falls back, else goes on. */
static time_t shown(time_t at)
{
    struct tm tm;

    assert_non_null(localtime_r(&at, &tm));
    return timegm(&tm);
}

/* due[i]: something begins at the i-th minute after `from`. */
static void slowly(const struct cron *cron, time_t from, bool due[static MINUTES])
{
    time_t most = shown(from - MINUTE_S);

    for (int i = 0; i < MINUTES; i++) {
        time_t now = shown(from + (time_t)i * MINUTE_S);
        due[i] = false;
        for (time_t one = most + MINUTE_S; one <= now; one += MINUTE_S) {
            struct tm tm;
            assert_non_null(gmtime_r(&one, &tm));
            due[i] = due[i] || fits(cron, &tm);
        }
        most = now > most ? now : most; /* what comes twice counts once */
    }
}

static void compare(const char *name, const char *expression, time_t from)
{
    static bool due[MINUTES];
    char fault[128] = "";
    struct cron cron;
    time_t expected = 0;

    assert_int_equal(cron_parse(expression, &cron, fault), SH_OK);
    slowly(&cron, from, due);
    for (int i = MINUTES - 1; i > 0; i--) { /* from behind: the next one is known */
        if (due[i])
            expected = from + (time_t)i * MINUTE_S;
        else if (!due[i - 1] && i % 37 != 0)
            continue; /* about the same as the minute beside it */
        time_t after = from + (time_t)(i - 1) * MINUTE_S;
        time_t got = expected != 0 ? cron_next(&cron, after) : 0;
        if (got != expected)
            fail_msg("%s, %s: after %lld comes %lld, not %lld", name, expression,
                     (long long)after, (long long)got, (long long)expected);
    }
}

static void every_change_of_the_clock_is_right(void **state)
{
    static const struct {
        const char *zone;
        const char *day; /* on which it is changed, about */
    } changes[] = {
        {"Europe/Berlin", "2026-03-29"},       {"Europe/Berlin", "2026-10-25"},
        {"America/New_York", "2026-03-08"},    {"America/New_York", "2026-11-01"},
        {"Australia/Lord_Howe", "2026-04-05"}, /* by half an hour */
        {"Australia/Lord_Howe", "2026-10-04"}, {"Africa/Cairo", "2026-04-24"},
        {"Africa/Cairo", "2026-10-30"},        {"America/Havana", "2026-03-08"},
        {"America/Havana", "2026-11-01"},      {"America/Sao_Paulo", "2018-11-04"},
        {"America/Sao_Paulo", "2018-02-18"},   {"Antarctica/Troll", "2026-03-29"},
        {"Antarctica/Troll", "2026-10-25"},    {"Asia/Kolkata", "2026-05-05"}};
    static const char *const expressions[] = {
        "0 2 * * *",     "30 2 * * *",    "0 0 * * *",  "59 23 * * *",  "*/15 * * * *",
        "45 1 * * *",    "15 0-3 * * *",  "0 3 * * 0",  "30 1 * * sun", "0 0 1 * *",
        "20,40 2 * * *", "7 */2 * * 0,5", "30 2 29 3 1"};

    (void)state;
    for (size_t i = 0; i < SH_COUNT(changes); i++) {
        zone(changes[i].zone);
        for (size_t k = 0; k < SH_COUNT(expressions); k++)
            compare(changes[i].zone, expressions[k],
                    day_of(changes[i].day) - 2 * (time_t)DAY_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_the_clock_is_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
