#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <uv.h>

#include "shared/err.h"

static void every_error_has_text_code_and_status(void **state)
{
    (void)state;
    for (int i = 0; i < SH_ERR_COUNT; i++) {
        assert_true(strlen(sh_err_text((enum sh_err)i)) > 0);
        assert_true(strlen(sh_err_code((enum sh_err)i)) > 0);
        assert_in_range(sh_err_http_status((enum sh_err)i), 200, 504);
    }
    assert_int_equal(sh_err_http_status(SH_TOOBIG), 413);
    assert_string_equal(sh_err_code(SH_TIMEOUT), "deadline_exceeded");
}

static void value_outside_the_table_is_internal(void **state)
{
    (void)state;
    assert_string_equal(sh_err_code((enum sh_err)1000), "internal_error");
}

static void foreign_codes_convert(void **state)
{
    (void)state;
    assert_int_equal(sh_err_from_uv(0), SH_OK);
    assert_int_equal(sh_err_from_uv(UV_ENOMEM), SH_NOMEM);
    assert_int_equal(sh_err_from_uv(UV_ECANCELED), SH_CANCELED);
    assert_int_equal(sh_err_from_uv(UV_EOF), SH_UNAVAILABLE);
    assert_int_equal(sh_err_from_uv(UV_EADDRINUSE), SH_IO);
    assert_int_equal(sh_err_from_errno(0), SH_OK);
    assert_int_equal(sh_err_from_errno(ENOENT), SH_NOTFOUND);
    assert_int_equal(sh_err_from_errno(ECONNREFUSED), SH_UNAVAILABLE);
    assert_int_equal(sh_err_from_errno(ENOSPC), SH_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_text_code_and_status),
        cmocka_unit_test(value_outside_the_table_is_internal),
        cmocka_unit_test(foreign_codes_convert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
