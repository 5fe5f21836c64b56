#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "shared/buffer.h"
#include "shared/mem.h"

static void grows_over_many_appends(void **state)
{
    (void)state;
    struct sh_buffer buffer = {0};
    for (int i = 0; i < 10000; i++)
        sh_buffer_printf(&buffer, "%04d,", i);
    assert_int_equal(buffer.err, SH_OK);
    assert_int_equal(buffer.len, 50000);
    assert_memory_equal(buffer.data, "0000,0001,", 10);
    assert_memory_equal(buffer.data + 49990, "9998,9999,", 10);
    sh_buffer_free(&buffer);
    assert_null(buffer.data);
}

static void failed_allocation_sticks_until_cleared(void **state)
{
    (void)state;
    struct sh_buffer buffer = {0};
    sh_buffer_text(&buffer, "kept");
    sh_mem_fail_after(0);
    sh_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.err, SH_OK);
    assert_null(sh_buffer_reserve(&buffer, 100000));
    sh_mem_fail_after(-1);
    sh_buffer_text(&buffer, "lost");
    sh_buffer_printf(&buffer, "%d", 1);
    assert_int_equal(buffer.err, SH_NOMEM);
    assert_int_equal(buffer.len, 4);
    sh_buffer_clear(&buffer);
    sh_buffer_text(&buffer, "new");
    assert_true(sh_bytes_is(sh_buffer_bytes(&buffer), "new"));
    sh_buffer_free(&buffer);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct sh_buffer buffer = {0};
    sh_buffer_text(&buffer, "x");
    assert_null(sh_buffer_reserve(&buffer, SIZE_MAX));
    assert_int_equal(buffer.err, SH_NOMEM);
    sh_buffer_free(&buffer);
}

static void consume_keeps_the_rest(void **state)
{
    (void)state;
    struct sh_buffer buffer = {0};
    sh_buffer_consume(&buffer, 5);
    sh_buffer_text(&buffer, "abcdef");
    sh_buffer_consume(&buffer, 2);
    assert_true(sh_bytes_is(sh_buffer_bytes(&buffer), "cdef"));
    sh_buffer_consume(&buffer, 100);
    assert_int_equal(buffer.len, 0);
    sh_buffer_free(&buffer);
}

static void reserved_room_can_be_filled(void **state)
{
    (void)state;
    struct sh_buffer buffer = {0};
    char *room = sh_buffer_reserve(&buffer, 1000);
    assert_non_null(room);
    memset(room, 'a', 1000);
    buffer.len += 1000;
    sh_buffer_text(&buffer, "b");
    assert_int_equal(buffer.len, 1001);
    assert_int_equal(buffer.data[999], 'a');
    assert_int_equal(buffer.data[1000], 'b');
    sh_buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_over_many_appends),
        cmocka_unit_test(failed_allocation_sticks_until_cleared),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(consume_keeps_the_rest),
        cmocka_unit_test(reserved_room_can_be_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
