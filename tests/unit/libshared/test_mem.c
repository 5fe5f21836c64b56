#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdalign.h>
#include <string.h>

#include "shared/mem.h"

static void memory_is_zeroed_and_products_are_checked(void **state)
{
    (void)state;
    char *bytes = sh_alloc(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(bytes[i], 0);
    sh_free(bytes);
    assert_null(sh_alloc_array(SIZE_MAX / 2, 3));
    void *none = sh_alloc(0);
    assert_non_null(none);
    sh_free(none);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    char *text = sh_strndup("abcdef", 3);
    assert_string_equal(text, "abc");
    sh_free(text);
    text = sh_strndup(NULL, 0);
    assert_string_equal(text, "");
    sh_free(text);
    assert_null(sh_strndup("x", SIZE_MAX));
}

static void nth_allocation_fails_once(void **state)
{
    (void)state;
    sh_mem_fail_after(1);
    void *first = sh_alloc(1);
    void *second = sh_alloc(1);
    void *third = sh_realloc(NULL, 1);
    sh_mem_fail_after(-1);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    sh_free(first);
    sh_free(third);
}

static void *alloc_elsewhere(void *arg)
{
    (void)arg;
    return sh_alloc(1);
}

static void fault_stays_on_its_thread(void **state)
{
    (void)state;
    pthread_t thread;
    void *got = NULL;
    sh_mem_fail_after(0);
    assert_int_equal(pthread_create(&thread, NULL, alloc_elsewhere, NULL), 0);
    assert_int_equal(pthread_join(thread, &got), 0);
    assert_non_null(got);
    assert_null(sh_alloc(1));
    sh_mem_fail_after(-1);
    sh_free(got);
}

static void arena_gives_aligned_zeroed_distinct_memory(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    char *last = NULL;
    for (size_t size = 0; size < 300; size++) {
        char *got = sh_arena_alloc(&arena, size);
        assert_non_null(got);
        assert_int_equal((uintptr_t)got % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(got[i], 0);
        memset(got, 0xff, size);
        assert_ptr_not_equal(got, last);
        last = got;
    }
    assert_true(arena.total >= 300 * 299 / 2);
    sh_arena_free(&arena);
    assert_int_equal(arena.total, 0);
    assert_null(arena.first);
}

static void arena_takes_large_and_refuses_absurd_sizes(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    char *large = sh_arena_alloc(&arena, 1 << 20);
    assert_non_null(large);
    memset(large, 1, 1 << 20);
    assert_null(sh_arena_alloc(&arena, SIZE_MAX));
    assert_null(sh_arena_alloc(&arena, SIZE_MAX - 64));
    assert_null(sh_arena_array(&arena, SIZE_MAX / 4, 8));
    assert_null(sh_arena_strndup(&arena, "", SIZE_MAX));
    struct sh_bytes copy = sh_arena_copy(&arena, sh_bytes_of("text"));
    assert_true(sh_bytes_is(copy, "text"));
    sh_arena_free(&arena);
}

static void arena_survives_a_failing_allocation(void **state)
{
    (void)state;
    struct sh_arena arena = {0};
    sh_mem_fail_after(0);
    assert_null(sh_arena_alloc(&arena, 10));
    sh_mem_fail_after(-1);
    assert_int_equal(arena.total, 0);
    assert_non_null(sh_arena_alloc(&arena, 10));
    sh_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_products_are_checked),
        cmocka_unit_test(copies_end_in_nul),
        cmocka_unit_test(nth_allocation_fails_once),
        cmocka_unit_test(fault_stays_on_its_thread),
        cmocka_unit_test(arena_gives_aligned_zeroed_distinct_memory),
        cmocka_unit_test(arena_takes_large_and_refuses_absurd_sizes),
        cmocka_unit_test(arena_survives_a_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
