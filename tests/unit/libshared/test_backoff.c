/* How long is waited before the next attempt to connect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshared/src/backoff.h"

enum { DRAWS = 200 };

static void the_first_waits_grow(void **state)
{
    (void)state;
    for (unsigned failures = 0; failures < 4; failures++) {
        for (int i = 0; i < DRAWS; i++)
            assert_in_range(backoff_ms(failures), 50U << failures, 100U << failures);
    }
}

/* A server that comes back may refuse once more while it recovers: two of these waits and
 * one of whoever needs the connection are to be over well within 5 s. */
static void a_long_outage_is_not_waited_for_longer(void **state)
{
    (void)state;
    for (unsigned failures = 4; failures < 1000; failures++) {
        for (int i = 0; i < DRAWS; i++)
            assert_in_range(backoff_ms(failures), 500, 1000);
    }
    assert_in_range(backoff_ms(UINT32_MAX), 500, 1000);
}

static void those_who_fail_together_spread(void **state)
{
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        uint64_t wait = backoff_ms(10);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    assert_true(most - least > 100); /* of 500; by chance in one of 10^130 runs */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_waits_grow),
        cmocka_unit_test(a_long_outage_is_not_waited_for_longer),
        cmocka_unit_test(those_who_fail_together_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
