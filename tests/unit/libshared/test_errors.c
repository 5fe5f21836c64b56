#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "shared/bytes.h"
#include "shared/errors.h"
#include "shared/metrics.h"

static int set_up(void **state)
{
    (void)state;
    sh_errors_reset();
    return 0;
}

static uint64_t count_of(const char *type)
{
    static struct sh_error_count types[SH_ERROR_TYPES];
    size_t count = sh_errors_types(types, SH_ERROR_TYPES);

    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].count;
    return 0;
}

static void lines_count_by_level_and_place(void **state)
{
    (void)state;
    sh_info(NULL, "does not count");
    for (int i = 0; i < 50; i++) /* more than are written */
        sh_warning(NULL, "counts");
    sh_error(NULL, "counts");
    assert_int_equal(sh_errors_of_level(SH_INFO), 0);
    assert_int_equal(sh_errors_of_level(SH_WARNING), 50);
    assert_int_equal(sh_errors_of_level(SH_ERROR), 1);
    assert_int_equal(count_of("test_errors.lines_count_by_level_and_place"), 51);
}

static void types_are_bounded(void **state)
{
    (void)state;
    char type[200];

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(type, sizeof type, "type-%d", i);
        sh_errors_add(SH_ERROR, type);
    }
    assert_int_equal(count_of("type-0"), 1);
    assert_int_equal(count_of("type-999"), 0);
    assert_true(count_of("other") > 700);
    assert_int_equal(sh_errors_of_level(SH_ERROR), 1000);
    memset(type, 'x', sizeof type - 1);
    type[sizeof type - 1] = '\0';
    sh_errors_add(SH_ERROR, type);
    assert_int_equal(sh_errors_of_level(SH_ERROR), 1001);
}

static void metrics_follow(void **state)
{
    (void)state;
    struct sh_buffer text = {0};

    sh_errors_add(SH_ERROR, "a_type");
    sh_errors_show(NULL);
    sh_errors_add(SH_ERROR, "a_type");
    sh_errors_show(NULL);
    sh_metrics_render(&text, false);
    sh_buffer_append(&text, "", 1);
    assert_non_null(
        strstr(text.data, "cairn_errors_total{level=\"ERROR\",type=\"a_type\"} 2\n"));
    sh_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_count_by_level_and_place, set_up),
        cmocka_unit_test_setup(types_are_bounded, set_up),
        cmocka_unit_test_setup(metrics_follow, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
