/* Who is followed after a standby has taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshared/src/changefeed_lineage.h"

static const char before[] = "731234567890-00000009-16384-16402";

static bool goes_on(const char *now, uint64_t lsn, uint64_t inherited, uint64_t age_ms)
{
    const struct changefeed_mark mark = {.lsn = lsn, .at_ms = 5000};

    return changefeed_carried_on(before, now, &mark, inherited, 5000 + age_ms);
}

static void the_next_timeline_goes_on_where_it_has_what_was_seen(void **state)
{
    static const char next[] = "731234567890-0000000A-16384-16402";

    (void)state;
    assert_true(goes_on(next, 100, 100, 0));
    assert_true(goes_on(next, 100, 101, 60000));
    assert_false(goes_on(next, 100, 99, 0)); /* it lacks some of it */
    assert_false(goes_on(next, 0, 100, 0));  /* nobody knows */
    assert_false(goes_on(next, 100, 0, 0));  /* it did not take over */
    assert_false(goes_on(next, 100, 100, 60001));
}

static void whatever_else_is_another_database(void **state)
{
    static const char *const others[] = {
        "731234567890-00000009-16384-16402", /* the same */
        "731234567890-00000008-16384-16402",
        "731234567890-0000000B-16384-16402",
        "731234567891-0000000A-16384-16402", /* another cluster */
        "73123456789-0000000A-16384-16402",
        "731234567890-0000000A-16385-16402", /* another database of it */
        "731234567890-0000000A-16384-16403", /* its tables were made again */
        "731234567890-0000000A-16384",
        "731234567890-0000000a-16384-16402",
        "731234567890-000000A-16384-16402",
        "731234567890--16384-16402",
        "731234567890",
        "-",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(goes_on(others[i], 100, 100, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_timeline_goes_on_where_it_has_what_was_seen),
        cmocka_unit_test(whatever_else_is_another_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
