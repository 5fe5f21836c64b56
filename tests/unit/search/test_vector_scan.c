/* The promises of vector_index.h, and every kernel against plain arithmetic. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/vector/dot.h"
#include "services/search/vector/vector_index.h"
#include "shared/clock.h"

static float random_float(void)
{
    return (float)rand() / (float)RAND_MAX * 2 - 1;
}

static void check_kernel(const struct dot_kernel *kernel)
{
    static _Alignas(DOT_ALIGN) float a[1040];
    static _Alignas(DOT_ALIGN) float b[1040];
    for (size_t n = DOT_STEP; n <= SH_COUNT(a); n += DOT_STEP) {
        double expected = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = random_float();
            b[i] = random_float();
            expected += (double)a[i] * (double)b[i];
        }
        assert_true(fabs((double)kernel->dot(a, b, n) - expected) < 1e-4);
    }
}

static void kernels_agree(void **state)
{
    (void)state;
    int usable = 0;
    srand(1);
    for (const struct dot_kernel *kernel = dot_kernels(); kernel->name; kernel++) {
        if (!kernel->usable())
            continue;
        check_kernel(kernel);
        usable++;
    }
    assert_true(usable > 0);
}

struct fixture {
    struct vector_index *index;
    struct sh_arena arena;
    struct bitmap allowed;
    struct leg leg;
};

static void open_fixture(struct fixture *f, uint32_t dimension, uint32_t slots)
{
    *f = (struct fixture){.allowed = {NULL, slots}};
    assert_int_equal(vector_index_create(dimension, &f->index), SH_OK);
    assert_int_equal(vector_index_reserve(f->index, slots), SH_OK);
    f->allowed.words = sh_alloc_array(bitmap_words(slots) + 1, sizeof(uint64_t));
    assert_non_null(f->allowed.words);
    for (uint32_t slot = 0; slot < slots; slot++)
        bitmap_add(&f->allowed, slot);
}

static void close_fixture(struct fixture *f)
{
    vector_index_free(&f->index);
    assert_null(f->index);
    sh_arena_free(&f->arena);
    sh_free(f->allowed.words);
}

static enum sh_err scan(struct fixture *f, const float *vector, uint64_t deadline_ms)
{
    const float *query = NULL;
    assert_int_equal(vector_query_make(f->index, vector, &f->arena, &query), SH_OK);
    assert_non_null(query);
    return vector_index_scan(f->index, query, &f->allowed, deadline_ms, &f->arena,
                             &f->leg);
}

/* Odd dimensions, several blocks, gaps, a filter: against plain arithmetic. */
static void scans_are_exact(void **state)
{
    (void)state;
    enum { DIMENSION = 37, SLOTS = 2500 };
    static float vectors[SLOTS][DIMENSION];
    struct fixture f;
    float query[DIMENSION];
    size_t expected = 0;
    size_t at = 0;
    open_fixture(&f, DIMENSION, SLOTS);
    srand(2);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        for (int d = 0; d < DIMENSION; d++)
            vectors[slot][d] = random_float() * 9;
        if (slot % 3)
            assert_true(vector_index_set(f.index, slot, vectors[slot]));
        if (slot % 5 == 0)
            bitmap_drop(&f.allowed, slot);
        expected += slot % 3 && slot % 5;
    }
    for (int d = 0; d < DIMENSION; d++)
        query[d] = random_float();
    assert_int_equal(scan(&f, query, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(f.leg.count, expected);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        double dot = 0;
        double a = 0;
        double b = 0;
        if (slot % 3 == 0 || slot % 5 == 0)
            continue;
        for (int d = 0; d < DIMENSION; d++) {
            dot += (double)query[d] * (double)vectors[slot][d];
            a += (double)query[d] * (double)query[d];
            b += (double)vectors[slot][d] * (double)vectors[slot][d];
        }
        assert_int_equal(f.leg.hits[at].slot, slot);
        assert_true(fabs((double)f.leg.hits[at].score - dot / sqrt(a * b)) < 1e-5);
        at++;
    }
    close_fixture(&f);
}

static void slots_are_set_replaced_and_removed(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    const float y[3] = {0, 3, 0};
    const float zero[3] = {0};
    const float wrong[3] = {1, (float)NAN, 0};
    open_fixture(&f, 3, 10);
    assert_true(vector_index_set(f.index, 4, x));
    assert_true(vector_index_set(f.index, 4, y));
    assert_int_equal(vector_index_count(f.index), 1);
    assert_int_equal(scan(&f, y, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(f.leg.count, 1);
    assert_true(fabsf(f.leg.hits[0].score - 1) < 1e-6F);
    assert_true(vector_index_set(f.index, 5, x));
    assert_true(fabsf(vector_index_between(f.index, 4, 5)) < 1e-6F);
    assert_false(vector_index_set(f.index, 4, zero));
    assert_false(vector_index_has(f.index, 4));
    assert_false(vector_index_set(f.index, 4, wrong));
    assert_false(vector_index_set(f.index, 100000, x));
    assert_int_equal(vector_index_count(f.index), 1);
    vector_index_remove(f.index, 5);
    vector_index_remove(f.index, 5);
    assert_int_equal(vector_index_count(f.index), 0);
    assert_false(vector_is_finite(wrong, 3));
    assert_true(vector_is_finite(x, 3));
    close_fixture(&f);
}

static void bad_dimensions_are_refused(void **state)
{
    (void)state;
    struct vector_index *index = NULL;
    assert_int_equal(vector_index_create(0, &index), SH_INVALID);
    assert_int_equal(vector_index_create(65537, &index), SH_INVALID);
    assert_null(index);
}

static void a_past_deadline_ends_the_scan(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    open_fixture(&f, 3, 10);
    assert_true(vector_index_set(f.index, 4, x));
    assert_int_equal(scan(&f, x, sh_now_ms() - 1), SH_TIMEOUT);
    close_fixture(&f);
}

static void a_failed_reserve_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    const float x[3] = {2, 0, 0};
    int failures = 0;
    open_fixture(&f, 3, 1024);
    assert_true(vector_index_set(f.index, 4, x));
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = vector_index_reserve(f.index, 5000);
        sh_mem_fail_after(-1);
        assert_true(vector_index_has(f.index, 4));
        assert_int_equal(vector_index_count(f.index), 1);
    }
    assert_true(failures > 3);
    assert_true(vector_index_set(f.index, 4999, x));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(scans_are_exact),
        cmocka_unit_test(slots_are_set_replaced_and_removed),
        cmocka_unit_test(bad_dimensions_are_refused),
        cmocka_unit_test(a_past_deadline_ends_the_scan),
        cmocka_unit_test(a_failed_reserve_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
