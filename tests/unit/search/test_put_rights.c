#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/ingest/put_rights.h"

static void what_one_may_write_is_what_one_may_read(void **state)
{
    static const struct {
        const char *role, *own, *department;
        uint64_t level;
        uint32_t clearance;
        bool all;
        bool within;
    } cases[] = {
        {"staff", "IT", "IT", 3, 3, false, true},
        {"staff", "IT", "IT", 4, 3, false, false},
        {"staff", "IT", "Law", 3, 3, false, false},
        {"staff", "IT", "", 3, 3, false, false},
        {"staff", "", "", 3, 3, false, false},
        {"staff", "IT", "Law", 2, 3, false, true},
        {"staff", "IT", "", 1, 3, false, true},
        {"student", "IT", "IT", 3, 2, false, false},
        {"academic", "", "Law", 4, 4, true, true},
        {"academic", "Law", "Law", 5, 4, true, false},
        {"", "", "Law", 5, 0, false, true}, /* a service itself */
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        const struct caller caller = {.role = sh_bytes_of(cases[i].role),
                                      .department = sh_bytes_of(cases[i].own),
                                      .clearance = cases[i].clearance,
                                      .all_departments = cases[i].all};
        if (put_is_within(&caller, cases[i].level, sh_bytes_of(cases[i].department)) !=
            cases[i].within)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_may_write_is_what_one_may_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
