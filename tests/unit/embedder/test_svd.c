#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lapacke.h>
#include <math.h>

#include "services/embedder/lsa/svd.h"
#include "shared/mem.h"

enum { ROWS = 90, COLUMNS = 60, RANK = 8 };

static struct {
    struct matrix sparse;
    float dense[ROWS * COLUMNS]; /* the same, row-major */
} fx;

/* A third of the values, falling off from the first rows and columns on. */
static int set_up(void **state)
{
    (void)state;
    uint32_t seed = 7;
    memset(&fx, 0, sizeof(fx));
    fx.sparse.columns = COLUMNS;
    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t columns[COLUMNS];
        float values[COLUMNS];
        size_t count = 0;
        for (uint32_t column = 0; column < COLUMNS; column++) {
            seed = seed * 1664525u + 1013904223u;
            if (seed >> 30 != 0)
                continue;
            float topic = (row % RANK == column % RANK) ? 4 : 0.25f;
            float value = topic * (float)(1 + (seed >> 8) % 7) / (float)(1 + row % RANK);
            columns[count] = column;
            values[count++] = value;
            fx.dense[row * COLUMNS + column] = value;
        }
        assert_int_equal(matrix_add(&fx.sparse, columns, values, count), SH_OK);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    matrix_free(&fx.sparse);
    return 0;
}

static void products_are_those_of_the_dense_matrix(void **state)
{
    enum { WIDTH = 5 };
    static float wide[COLUMNS * WIDTH], tall[ROWS * WIDTH];
    static float to_rows[ROWS * WIDTH], to_columns[COLUMNS * WIDTH];
    (void)state;
    for (size_t i = 0; i < SH_COUNT(wide); i++)
        wide[i] = (float)(i % 11) - 5;
    for (size_t i = 0; i < SH_COUNT(tall); i++)
        tall[i] = (float)(i % 13) - 6;
    for (unsigned threads = 0; threads < 4; threads++) {
        matrix_times(
            &(struct matrix_product){&fx.sparse, wide, WIDTH, to_rows, threads, NULL});
        matrix_transposed_times(
            &(struct matrix_product){&fx.sparse, tall, WIDTH, to_columns, threads, NULL});
        for (size_t row = 0; row < ROWS; row++) {
            double sum = 0;
            for (size_t k = 0; k < COLUMNS; k++)
                sum += (double)fx.dense[row * COLUMNS + k] * (double)wide[k * WIDTH + 3];
            assert_float_equal(to_rows[row * WIDTH + 3], sum, 1e-3);
        }
        for (size_t column = 0; column < COLUMNS; column++) {
            double sum = 0;
            for (size_t k = 0; k < ROWS; k++)
                sum +=
                    (double)fx.dense[k * COLUMNS + column] * (double)tall[k * WIDTH + 2];
            assert_float_equal(to_columns[column * WIDTH + 2], sum, 1e-3);
        }
    }
}

static struct svd compute(unsigned threads)
{
    struct svd svd;
    struct svd_order order = {
        .a = &fx.sparse, .rank = RANK, .seed = 1, .threads = threads};
    assert_int_equal(svd_compute(&order, &svd), SH_OK);
    return svd;
}

static void agrees_with_a_dense_decomposition(void **state)
{
    static float copy[ROWS * COLUMNS], u[ROWS * ROWS], vt[COLUMNS * COLUMNS];
    float singular[COLUMNS];
    struct svd svd = compute(2);
    (void)state;
    memcpy(copy, fx.dense, sizeof(copy));
    assert_int_equal(LAPACKE_sgesdd(LAPACK_ROW_MAJOR, 'A', ROWS, COLUMNS, copy, COLUMNS,
                                    singular, u, ROWS, vt, COLUMNS),
                     0);
    assert_int_equal(svd.rank, RANK);
    for (size_t i = 0; i < RANK; i++) {
        double dot = 0;
        for (size_t j = 0; j < COLUMNS; j++)
            dot += (double)svd.v[j * RANK + i] * (double)vt[i * COLUMNS + j];
        assert_float_equal(svd.singular[i], singular[i], 1e-4F * singular[0]);
        assert_float_equal(fabs(dot), 1, 1e-3); /* its sign is nobody's */
    }
    svd_free(&svd);
}

static void vectors_are_orthonormal(void **state)
{
    struct svd svd = compute(1);
    (void)state;
    for (size_t a = 0; a < RANK; a++) {
        for (size_t b = 0; b < RANK; b++) {
            double dot = 0;
            for (size_t j = 0; j < COLUMNS; j++)
                dot += (double)svd.v[j * RANK + a] * (double)svd.v[j * RANK + b];
            assert_float_equal(dot, a == b, 1e-5);
        }
    }
    svd_free(&svd);
}

static void is_the_same_whatever_the_threads(void **state)
{
    struct svd one = compute(1);
    struct svd many = compute(3);
    (void)state;
    assert_memory_equal(one.v, many.v, (size_t)COLUMNS * RANK * sizeof(float));
    svd_free(&one);
    svd_free(&many);
}

static void rank_is_what_the_matrix_has(void **state)
{
    struct matrix one = {.columns = 3};
    struct svd svd;
    const uint32_t columns[] = {0, 2};
    const float values[] = {3, 4};
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(matrix_add(&one, columns, values, 2), SH_OK);
    struct svd_order order = {.a = &one, .rank = RANK, .seed = 1};
    assert_int_equal(svd_compute(&order, &svd), SH_OK);
    assert_int_equal(svd.rank, 1);
    assert_float_equal(fabsf(svd.v[0]), 0.6, 1e-5);
    assert_float_equal(svd.v[1], 0, 1e-5);
    assert_float_equal(svd.singular[0], (float)(5 * sqrt(5)), 1e-4);
    svd_free(&svd);
    matrix_free(&one);
}

static void nothing_is_refused(void **state)
{
    struct matrix none = {.columns = 3};
    struct svd svd;
    struct svd_order order = {.a = &none, .rank = RANK};
    (void)state;
    assert_int_equal(svd_compute(&order, &svd), SH_INVALID);
    assert_int_equal(matrix_add(&none, NULL, NULL, 0), SH_OK);
    assert_int_equal(svd_compute(&order, &svd), SH_INVALID);
    matrix_free(&none);
}

static void stops_when_told(void **state)
{
    atomic_bool stop = true;
    struct svd svd;
    struct svd_order order = {.a = &fx.sparse, .rank = RANK, .stop = &stop};
    (void)state;
    assert_int_equal(svd_compute(&order, &svd), SH_CANCELED);
    assert_null(svd.v);
}

static void survives_every_allocation_failure(void **state)
{
    int failures = 0;
    (void)state;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        struct svd svd;
        struct svd_order order = {.a = &fx.sparse, .rank = RANK};
        sh_mem_fail_after(failures);
        err = svd_compute(&order, &svd);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        svd_free(&svd);
    }
    assert_true(failures > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_the_dense_matrix),
        cmocka_unit_test(agrees_with_a_dense_decomposition),
        cmocka_unit_test(vectors_are_orthonormal),
        cmocka_unit_test(is_the_same_whatever_the_threads),
        cmocka_unit_test(rank_is_what_the_matrix_has),
        cmocka_unit_test(nothing_is_refused),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
