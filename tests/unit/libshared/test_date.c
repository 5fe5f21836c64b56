#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "shared/date.h"

static void dates_are_read(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double seconds; /* < 0: no date */
    } cases[] = {
        {"1970-01-01", 0},
        {"2000-02-29", 951782400},
        {"2024-08-15T10:30:00", 1723717800},
        {"2024-08-15T10:30:00.5Z", 1723717800.5},
        {"2024-08-15T12:30:00+02:00", 1723717800},
        {"2024-08-15 05:00-0530", 1723717800},
        {"2024-02-29T00:00Z", 1709164800},
        {"2023-02-29", -1},
        {"2026-02-30", -1},
        {"1900-02-29", -1},
        {"2026-04-31T00:00:00Z", -1},
        {"2024-8-15", -1},
        {" 2024-08-15", -1},
        {"", -1},
        {"2024-13-01", -1},
        {"2024-08-15T25:00", -1},
        {"2024-08-15x", -1},
        {"2024-08-15T10:30:00Q", -1},
        {"2024", -1},
        {"not a date", -1},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        double seconds = -1;
        bool is_date = sh_date_parse(sh_bytes_of(cases[i].text), &seconds);
        assert_int_equal(is_date, cases[i].seconds >= 0);
        if (is_date)
            assert_true(fabs(seconds - cases[i].seconds) < 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
