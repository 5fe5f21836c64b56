#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/search/ingest/put_rights.h"

static void what_one_may_write_is_what_one_may_read(void **state)
{
    static const struct {
        const char *role, *own;
        uint32_t clearance;
        bool all;
        uint64_t level;
        const char *department;
        bool within;
    } cases[] = {
        {"staff", "IT", 3, false, 3, "IT", true},
        {"staff", "IT", 3, false, 4, "IT", false},
        {"staff", "IT", 3, false, 3, "Law", false},
        {"staff", "IT", 3, false, 3, "", false},
        {"staff", "", 3, false, 3, "", false},
        {"staff", "IT", 3, false, 2, "Law", true},
        {"staff", "IT", 3, false, 1, "", true},
        {"student", "IT", 2, false, 3, "IT", false},
        {"academic", "", 4, true, 4, "Law", true},
        {"academic", "Law", 4, true, 5, "Law", false},
        {"", "", 0, false, 5, "Law", true}, /* a service itself */
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
