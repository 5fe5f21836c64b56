/* Answers in memory: bounded, the least used go first, never one for another key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

#include "services/gateway/cache/shelf.h"
#include "shared/mem.h"

enum { MEGABYTE = 1 << 20 };

struct sample {
    char name[32];
    struct kept_key key;
    struct sh_buffer bytes;
};

/* `part`: hash[1] chooses the part of the shelf; all of one test share it. */
static void sample_make(struct sample *sample, unsigned number, size_t len,
                        uint64_t expires_ms)
{
    *sample = (struct sample){0};
    (void)snprintf(sample->name, sizeof sample->name, "key %u", number);
    sample->key.bytes = sh_bytes_of(sample->name);
    sample->key.hash[0] = number;
    kept_begin(&sample->bytes, sample->key.bytes);
    size_t middle = kept_middle(&sample->bytes);
    assert_non_null(sh_buffer_reserve(&sample->bytes, len));
    memset(sample->bytes.data + sample->bytes.len, 'x', len);
    sample->bytes.len += len;
    kept_end(&sample->bytes, middle, sample->key.bytes.len, number, expires_ms);
}

static void sample_put(struct shelf *shelf, unsigned number, size_t len,
                       uint64_t expires_ms)
{
    struct sample sample;

    sample_make(&sample, number, len, expires_ms);
    shelf_put(shelf, &sample.key, sh_buffer_bytes(&sample.bytes));
    sh_buffer_free(&sample.bytes);
}

static bool is_there(struct shelf *shelf, unsigned number, uint64_t now_ms)
{
    struct sample sample;

    sample_make(&sample, number, 1, 0);
    struct shelf_item *item = shelf_get(shelf, &sample.key, now_ms);
    sh_buffer_free(&sample.bytes);
    if (item == NULL)
        return false;
    assert_int_equal(kept_parts(shelf_item_bytes(item)).results, number);
    shelf_release(item);
    return true;
}

static void what_was_put_is_there_until_it_expires(void **state)
{
    struct shelf *shelf = NULL;
    size_t items = 0, bytes = 0;

    (void)state;
    assert_int_equal(shelf_create(MEGABYTE, &shelf), SH_OK);
    assert_false(is_there(shelf, 1, 0));
    sample_put(shelf, 1, 100, 1000);
    assert_true(is_there(shelf, 1, 999));
    assert_false(is_there(shelf, 2, 999));
    assert_false(is_there(shelf, 1, 1000));
    assert_false(is_there(shelf, 1, 1)); /* it went when it was found expired */
    shelf_figures(shelf, &items, &bytes);
    assert_true(items == 0 && bytes == 0);
    sample_put(shelf, 1, 100, 1000);
    sample_put(shelf, 1, 50, 2000); /* in its place */
    assert_true(is_there(shelf, 1, 1500));
    shelf_figures(shelf, &items, &bytes);
    assert_int_equal(items, 1);
    assert_int_equal(shelf_clear(shelf), 1);
    assert_false(is_there(shelf, 1, 0));
    shelf_free(&shelf);
    assert_null(shelf);
    shelf_free(&shelf);
}

static void the_least_used_go_first_and_the_bound_holds(void **state)
{
    struct shelf *shelf = NULL;
    size_t items = 0, bytes = 0;

    (void)state;
    assert_int_equal(shelf_create(MEGABYTE, &shelf), SH_OK); /* 128 KiB a part */
    for (unsigned i = 0; i < 1000; i++) {
        sample_put(shelf, i, 10000, 1000);
        assert_true(is_there(shelf, 0, 1)); /* used again and again */
        shelf_figures(shelf, &items, &bytes);
        assert_true(bytes <= MEGABYTE / 8);
    }
    assert_true(items > 5);
    assert_true(is_there(shelf, 999, 1));
    assert_false(is_there(shelf, 1, 1));
    sample_put(shelf, 2000, MEGABYTE / 8, 1000); /* too long: drives out nobody */
    assert_false(is_there(shelf, 2000, 1));
    assert_true(is_there(shelf, 0, 1));
    shelf_free(&shelf);
}

/* Hashes can be made to collide; keys cannot. */
static void another_key_of_the_same_hash_is_another(void **state)
{
    struct shelf *shelf = NULL;
    struct sample one, two;

    (void)state;
    assert_int_equal(shelf_create(MEGABYTE, &shelf), SH_OK);
    sample_make(&one, 1, 10, 1000);
    sample_make(&two, 2, 10, 1000);
    two.key.hash[0] = one.key.hash[0];
    shelf_put(shelf, &one.key, sh_buffer_bytes(&one.bytes));
    assert_null(shelf_get(shelf, &two.key, 1));
    shelf_put(shelf, &two.key, sh_buffer_bytes(&two.bytes));
    struct shelf_item *item = shelf_get(shelf, &one.key, 1);
    assert_non_null(item);
    assert_int_equal(kept_parts(shelf_item_bytes(item)).results, 1);
    assert_int_equal(shelf_clear(shelf), 2);
    assert_true(sh_bytes_equal(shelf_item_bytes(item), sh_buffer_bytes(&one.bytes)));
    shelf_release(item); /* it outlived the shelf's own hold */
    sh_buffer_free(&one.bytes);
    sh_buffer_free(&two.bytes);
    shelf_free(&shelf);
}

static void nothing_is_kept_without_room(void **state)
{
    struct shelf *shelf = NULL;

    (void)state;
    assert_int_equal(shelf_create(0, &shelf), SH_OK);
    sample_put(shelf, 1, 1, 1000);
    assert_false(is_there(shelf, 1, 1));
    shelf_free(&shelf);
}

static void survives_every_allocation_failure(void **state)
{
    struct shelf *shelf = NULL;
    int failures = 0;

    (void)state;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = shelf_create(MEGABYTE, &shelf);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || (err == SH_NOMEM && shelf == NULL));
    }
    assert_true(failures > 2);
    struct sample sample;
    sample_make(&sample, 1, 10, 1000);
    sh_mem_fail_after(0);
    shelf_put(shelf, &sample.key, sh_buffer_bytes(&sample.bytes));
    sh_mem_fail_after(-1);
    sh_buffer_free(&sample.bytes);
    assert_false(is_there(shelf, 1, 1));
    shelf_free(&shelf);
}

static void *hammer(void *arg)
{
    struct shelf *shelf = arg;

    for (unsigned i = 0; i < 3000; i++) {
        unsigned number = i * 7 % 50;
        if (!is_there(shelf, number, 1))
            sample_put(shelf, number, 5000, 1000);
        if (i % 1000 == 999)
            (void)shelf_clear(shelf);
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    struct shelf *shelf = NULL;
    pthread_t threads[4];

    (void)state;
    assert_int_equal(shelf_create(MEGABYTE, &shelf), SH_OK);
    for (size_t i = 0; i < SH_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, shelf), 0);
    for (size_t i = 0; i < SH_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    shelf_free(&shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there_until_it_expires),
        cmocka_unit_test(the_least_used_go_first_and_the_bound_holds),
        cmocka_unit_test(another_key_of_the_same_hash_is_another),
        cmocka_unit_test(nothing_is_kept_without_room),
        cmocka_unit_test(survives_every_allocation_failure),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("shelf", tests, NULL, NULL);
}
