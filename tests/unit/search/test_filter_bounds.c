/* What filters may not ask for: above the own rights, too deep, too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/filter/filter.h"
#include "shared/buffer.h"
#include "tests/unit/search/filter_oracle.h"

static const struct caller everyone = {
    .clearance = 5, .all_departments = true, .department = {"IT", 2}};

static enum sh_err asked_by(const char *json, struct caller caller)
{
    struct sh_arena arena = {0};
    struct filter *filter = NULL;
    struct filter_problem problem;
    enum sh_err err =
        filter_compile(sh_bytes_of(json), &caller, &arena, &filter, &problem);
    sh_arena_free(&arena);
    return err;
}

static void nobody_asks_above_the_own_clearance(void **state)
{
    (void)state;
    const struct caller nobody = {0};
    const struct caller student = {.clearance = 2};
    const struct caller academic = {.clearance = 4, .all_departments = true};
    struct caller member = academic;
    member.department = sh_bytes_of("Physics");
    assert_int_equal(asked_by("{\"max_clearance\":1}", nobody), SH_OK);
    assert_int_equal(asked_by("{\"max_clearance\":2}", nobody), SH_FORBIDDEN);
    assert_int_equal(asked_by("{\"clearance_level\":2}", student), SH_OK);
    assert_int_equal(asked_by("{\"clearance_level\":3}", student), SH_FORBIDDEN);
    assert_int_equal(asked_by("{\"clearance_level\":4}", academic), SH_FORBIDDEN);
    assert_int_equal(asked_by("{\"clearance_level\":4}", member), SH_OK);
    assert_int_equal(asked_by("{\"max_clearance\":5}", member), SH_FORBIDDEN);
    assert_int_equal(asked_by("{\"none\":[{\"clearance_level\":4}]}", student),
                     SH_FORBIDDEN);
}

/* The level stands among the metadata, too. Facets lead there: what one may read is
 * never refused. */
static void nor_by_its_name_in_the_metadata(void **state)
{
    const struct {
        const char *condition;
        enum sh_err err;
    } cases[] = {
        {"1", SH_OK},
        {"3", SH_OK},
        {"4", SH_FORBIDDEN},
        {"\"4\"", SH_OK}, /* a text is no level */
        {"{\"any\":[1,4]}", SH_FORBIDDEN},
        {"{\"none\":[5]}", SH_FORBIDDEN},
        {"{\"gte\":4}", SH_FORBIDDEN},
        {"{\"gt\":3}", SH_FORBIDDEN},
        {"{\"gt\":2}", SH_OK},
        {"{\"lte\":4}", SH_FORBIDDEN},
        {"{\"lt\":4}", SH_OK},
        {"{\"exists\":true}", SH_OK},
    };
    const struct caller staff = {.clearance = 3};
    const struct caller academic = {.clearance = 4, .all_departments = true};
    char json[128];
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        (void)snprintf(json, sizeof json, "{\"metadata\":{\"clearance_level\":%s}}",
                       cases[i].condition);
        assert_int_equal(asked_by(json, staff), cases[i].err);
        assert_int_equal(asked_by(json, academic),
                         strstr(json, "5") != NULL ? SH_FORBIDDEN : SH_OK);
    }
    assert_int_equal(asked_by("{\"metadata\":{\"level\":5}}", staff), SH_OK);
}

/* As many levels as are documented; each value of a list, list, group and object in a
 * group counts. */
static void depth_and_count_end_where_they_are_said_to(void **state)
{
    (void)state;
    for (int levels = 16; levels <= 17; levels++) {
        struct sh_buffer deep = {0};
        for (int i = 0; i < levels; i++)
            sh_buffer_text(&deep, "{\"any\":[");
        sh_buffer_text(&deep, "{}");
        for (int i = 0; i < levels; i++)
            sh_buffer_text(&deep, "]}");
        sh_buffer_append(&deep, "", 1);
        assert_int_equal(asked_by(deep.data, everyone), levels > 16 ? SH_INVALID : SH_OK);
        sh_buffer_free(&deep);
    }
    for (int objects = 510; objects <= 512; objects++) { /* in a group, with a value */
        struct sh_buffer wide = {0};
        sh_buffer_text(&wide, "{\"any\":[{\"campus\":\"c\"}");
        for (int i = 1; i < objects; i++)
            sh_buffer_text(&wide, ",{\"campus\":\"c\"}");
        sh_buffer_text(&wide, "]}");
        sh_buffer_append(&wide, "", 1);
        assert_int_equal(asked_by(wide.data, everyone),
                         1 + 2 * objects > 1024 ? SH_INVALID : SH_OK);
        sh_buffer_free(&wide);
    }
}

/* Every level and department against every kind of caller. */
static void the_right_to_read_is_by_level_and_department(void **state)
{
    (void)state;
    for (uint32_t own = 0; own <= 5; own++) {
        for (uint32_t level = 1; level <= 5; level++) {
            struct caller caller = {.clearance = own, .department = sh_bytes_of("IT")};
            struct filter_row row = {.clearance_level = level};
            bool cleared = level <= (own ? own : 1);
            row.department = sh_bytes_of("IT");
            assert_int_equal(oracle_readable(&caller, &row), cleared);
            row.department = sh_bytes_of("HR");
            assert_int_equal(oracle_readable(&caller, &row), cleared && level <= 2);
            caller.all_departments = true;
            assert_int_equal(oracle_readable(&caller, &row), cleared);
            caller = (struct caller){.clearance = own};
            row.department = sh_bytes_of("");
            assert_int_equal(oracle_readable(&caller, &row), cleared && level <= 2);
        }
    }
}

static void bombs_are_refused(void **state)
{
    (void)state;
    struct sh_buffer deep = {0};
    struct sh_buffer wide = {0};
    for (int i = 0; i < 500; i++)
        sh_buffer_text(&deep, "{\"any\":[");
    sh_buffer_text(&deep, "{}");
    for (int i = 0; i < 500; i++)
        sh_buffer_text(&deep, "]}");
    sh_buffer_append(&deep, "", 1);
    sh_buffer_text(&wide, "{\"metadata\":{\"a\":{\"any\":[0");
    for (int i = 0; i < 5000; i++)
        sh_buffer_printf(&wide, ",%d", i);
    sh_buffer_text(&wide, "]}}}");
    sh_buffer_append(&wide, "", 1);
    assert_int_equal(asked_by(deep.data, everyone), SH_INVALID);
    assert_int_equal(asked_by(wide.data, everyone), SH_INVALID);
    sh_buffer_free(&deep);
    sh_buffer_free(&wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_asks_above_the_own_clearance),
        cmocka_unit_test(nor_by_its_name_in_the_metadata),
        cmocka_unit_test(depth_and_count_end_where_they_are_said_to),
        cmocka_unit_test(the_right_to_read_is_by_level_and_department),
        cmocka_unit_test(bombs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
