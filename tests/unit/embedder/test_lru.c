#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/embedder/cache/lru.h"
#include "shared/mem.h"

enum { DIMENSION = 8 };

static void key_of(unsigned n, uint8_t key[LRU_KEY_BYTES])
{
    for (size_t i = 0; i < LRU_KEY_BYTES; i++)
        key[i] = (uint8_t)(n >> (i % 4 * 8));
}

static void put(struct lru *lru, unsigned n)
{
    uint8_t key[LRU_KEY_BYTES];
    float vector[DIMENSION] = {(float)n};
    key_of(n, key);
    lru_put(lru, key, vector, DIMENSION, n);
}

static bool has(struct lru *lru, unsigned n)
{
    uint8_t key[LRU_KEY_BYTES];
    uint32_t tokens = 0;
    key_of(n, key);
    const float *vector = lru_get(lru, key, DIMENSION, &tokens);
    if (vector) {
        assert_true(vector[0] == (float)n);
        assert_int_equal(tokens, n);
    }
    return vector != NULL;
}

static void the_least_used_leaves_first(void **state)
{
    (void)state;
    struct lru *lru = NULL;
    assert_int_equal(lru_create(1024, &lru), SH_OK);
    for (unsigned n = 0; n < 1000; n++) {
        put(lru, n);
        assert_true(n == 0 || has(lru, 0)); /* used again and again */
        assert_true(lru_bytes(lru) <= 1024);
    }
    assert_true(has(lru, 999));
    assert_false(has(lru, 500));
    assert_true(lru_count(lru) > 4 && lru_count(lru) < 32);
    lru_clear(lru);
    assert_int_equal(lru_bytes(lru), 0);
    assert_false(has(lru, 0));
    put(lru, 7);
    assert_true(has(lru, 7));
    lru_free(&lru);
    assert_null(lru);
}

static void a_key_holds_one_value(void **state)
{
    (void)state;
    struct lru *lru = NULL;
    assert_int_equal(lru_create(4096, &lru), SH_OK);
    put(lru, 3);
    put(lru, 3);
    assert_int_equal(lru_count(lru), 1);
    uint8_t key[LRU_KEY_BYTES];
    uint32_t tokens = 0;
    key_of(3, key);
    assert_null(lru_get(lru, key, DIMENSION + 1, &tokens));
    lru_free(&lru);
}

static void without_room_nothing_is_kept(void **state)
{
    (void)state;
    struct lru *lru = NULL;
    assert_int_equal(lru_create(0, &lru), SH_OK);
    put(lru, 1);
    assert_int_equal(lru_count(lru), 0);
    lru_free(&lru);
    assert_int_equal(lru_create(4096, &lru), SH_OK);
    sh_mem_fail_after(0);
    put(lru, 1);
    sh_mem_fail_after(-1);
    assert_false(has(lru, 1));
    lru_free(&lru);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_used_leaves_first),
        cmocka_unit_test(a_key_holds_one_value),
        cmocka_unit_test(without_room_nothing_is_kept),
    };
    return cmocka_run_group_tests_name("lru", tests, NULL, NULL);
}
