#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/digits.h"

static void expect_same(uint64_t value)
{
    char ours[SH_DIGITS_MAX + 2] = "";
    char theirs[32];
    size_t len = sh_digits(value, ours);
    (void)snprintf(theirs, sizeof(theirs), "%" PRIu64, value);
    assert_int_equal(len, strlen(theirs));
    assert_memory_equal(ours, theirs, len);

    int64_t turned = (int64_t)value;
    len = sh_digits_signed(turned, ours);
    (void)snprintf(theirs, sizeof(theirs), "%" PRId64, turned);
    assert_int_equal(len, strlen(theirs));
    assert_memory_equal(ours, theirs, len);
}

static void the_text_is_that_of_printf(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 2000; value++)
        expect_same(value);
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        expect_same(power - 1);
        expect_same(power);
        expect_same(0 - power);
    }
    expect_same(INT64_MAX);
    expect_same((uint64_t)INT64_MAX + 1);
    expect_same(UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_text_is_that_of_printf)};
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
