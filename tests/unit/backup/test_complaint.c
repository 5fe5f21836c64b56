#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/backup/service/complaint.h"

static const double started = 1770000000;
static const struct log_facts good_log = {.wanted = true,
                                          .heard = true,
                                          .streaming = true,
                                          .base = true,
                                          .recovery_point = 1770000900,
                                          .stored_every_s = 5};
static const struct set_facts good_sets = {.free_mb = 1000, .wanted_mb = 256};

static void nothing_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(complaint_log(&good_log, started, started + 960), "");
    assert_string_equal(complaint_sets(&good_sets, ""), "");
}

static void a_gap_in_the_log_is_told_at_once(void **state)
{
    struct log_facts log = good_log;

    (void)state;
    log.missing = 1;
    assert_string_equal(complaint_log(&log, started, started + 900),
                        "segments of the write-ahead log are missing");
    log.elsewhere = true; /* by the replica that receives it */
    assert_string_equal(complaint_log(&log, started, started + 900), "");
    log = good_log;
    log.missing = 1;
    log.wanted = false;
    assert_string_equal(complaint_log(&log, started, started + 900), "");
}

static void a_log_is_late_after_a_minute(void **state)
{
    struct log_facts log = good_log;
    double point = log.recovery_point;

    (void)state;
    assert_string_equal(complaint_log(&log, started, point + 65), "");
    assert_string_equal(complaint_log(&log, started, point + 66),
                        "the write-ahead log is late");
    log.behind = 1;
    assert_string_equal(complaint_log(&log, started, point + 66),
                        "a place is behind with the write-ahead log");
    /* it had no time yet: nothing was heard since the start */
    log = (struct log_facts){.wanted = true, .stored_every_s = 5};
    assert_string_equal(complaint_log(&log, started, started + 65), "");
    assert_string_equal(complaint_log(&log, started, started + 66),
                        "the write-ahead log is late");
}

static void a_log_needs_a_physical_set(void **state)
{
    struct log_facts log = good_log;

    (void)state;
    log.base = false;
    log.recovery_point = started + 61;
    assert_string_equal(complaint_log(&log, started, started + 60), "");
    assert_string_equal(complaint_log(&log, started, started + 61),
                        "there is no physical set for the write-ahead log");
}

static void sets_are_judged_worst_first(void **state)
{
    struct set_facts sets = {
        .unreadable = 1, .late = true, .unproven = true, .free_mb = 1, .wanted_mb = 256};

    (void)state;
    assert_string_equal(complaint_sets(&sets, "log"),
                        "a backup set has no usable manifest");
    sets.unreadable = 0;
    assert_string_equal(complaint_sets(&sets, "log"), "a backup is late");
    sets.late = false;
    assert_string_equal(complaint_sets(&sets, "log"),
                        "the newest full set is not verified");
    sets.busy = true; /* which may be the very run that verifies it */
    assert_string_equal(complaint_sets(&sets, "log"), "log");
    assert_string_equal(complaint_sets(&sets, ""), "the disk of the backups is short");
    sets.free_mb = 256;
    assert_string_equal(complaint_sets(&sets, ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wrong),
        cmocka_unit_test(a_gap_in_the_log_is_told_at_once),
        cmocka_unit_test(a_log_is_late_after_a_minute),
        cmocka_unit_test(a_log_needs_a_physical_set),
        cmocka_unit_test(sets_are_judged_worst_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
