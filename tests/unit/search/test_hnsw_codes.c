/* Every kernel against plain arithmetic, and what a code keeps of a vector. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/search/vector/codes_internal.h"
#include "tests/unit/search/hnsw_fixture.h"

static void check_int8(const struct code_kernel *kernel)
{
    static _Alignas(64) int8_t query[1040];
    static uint8_t planes[2][520];
    for (size_t n = CODE_STEP; n <= SH_COUNT(query); n += CODE_STEP) {
        int32_t expected[2] = {0, 0};
        for (size_t i = 0; i < n; i++)
            query[i] = (int8_t)(rand() % 255 - 127);
        for (size_t i = 0; i < n; i++) {
            uint8_t *byte = &planes[i % 2][i / 2];
            *byte = (uint8_t)(rand() % 256);
            expected[i % 2] +=
                query[i / 2] * (*byte & 15) + query[i / 2 + n / 2] * (*byte >> 4);
        }
        assert_int_equal(kernel->plane(query, planes[0], n), expected[0]);
        assert_int_equal(kernel->int8(query, planes[0], planes[1], n),
                         16 * expected[0] + expected[1]);
    }
    memset(query, 127, sizeof(query)); /* nothing saturates */
    memset(planes, 255, sizeof(planes));
    assert_int_equal(kernel->int8(query, planes[0], planes[1], 1040), 1040 * 127 * 255);
    memset(query, -128, sizeof(query));
    assert_int_equal(kernel->plane(query, planes[0], 1040), 1040 * -128 * 15);
}

static void check_unpacking(const struct code_kernel *kernel)
{
    static int8_t bytes[1040 + 1];
    static uint8_t planes[2][520];
    for (size_t n = CODE_STEP; n < SH_COUNT(bytes); n += CODE_STEP) {
        struct code_sums expected = {0, 0};
        for (size_t i = 0; i < n; i++)
            planes[i % 2][i / 2] = (uint8_t)(rand() % 256);
        bytes[n] = 77;
        struct code_sums given = kernel->unpack(planes[0], planes[1], n, bytes);
        for (size_t i = 0; i < n; i++) {
            int shift = i < n / 2 ? 0 : 4;
            int byte = (planes[0][i % (n / 2)] >> shift & 15) * 16 +
                       (planes[1][i % (n / 2)] >> shift & 15) - 128;
            assert_int_equal(bytes[i], byte);
            expected.sum += byte;
            expected.square += byte * byte;
        }
        assert_int_equal(given.sum, expected.sum);
        assert_int_equal(given.square, expected.square);
        assert_int_equal(bytes[n], 77); /* not a byte more */
    }
}

static void check_floats(const struct code_kernel *kernel)
{
    static _Alignas(64) float a[1040];
    static _Alignas(64) float b[1040];
    static _Alignas(64) uint16_t halves[1040];
    for (size_t n = 1; n < 100; n++) {
        double full = 0;
        for (size_t i = 0; i <= n; i++) {
            a[i] = random_float();
            b[i] = random_float();
            full += i > 0 ? (double)a[i] * (double)b[i] : 0;
        }
        assert_true(fabs((double)kernel->row(a + 1, b + 1, n) - full) < 1e-4);
    }
    for (size_t n = CODE_STEP; n <= SH_COUNT(a); n += CODE_STEP) {
        double full = 0;
        double half = 0;
        for (size_t i = 0; i < n; i++) {
            a[i] = random_float();
            b[i] = random_float();
            halves[i] = half_from_float(b[i]);
            full += (double)a[i] * (double)b[i];
            half += (double)a[i] * (double)half_to_float(halves[i]);
        }
        assert_true(fabs((double)kernel->f32(a, b, n) - full) < 1e-3);
        assert_true(fabs((double)kernel->f16(a, halves, n) - half) < 1e-3);
    }
}

static void kernels_agree(void **state)
{
    (void)state;
    int usable = 0;
    srand(1);
    for (const struct code_kernel *kernel = code_kernels(); kernel->name; kernel++) {
        if (!kernel->usable())
            continue;
        check_int8(kernel);
        check_unpacking(kernel);
        check_floats(kernel);
        usable++;
    }
    assert_true(usable > 0);
}

static void halves_are_rounded_to_nearest(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x7c00; half++) {
        float value = half_to_float((uint16_t)half);
        float next = half_to_float((uint16_t)(half + 1));
        assert_int_equal(half_from_float(value), half);
        assert_int_equal(half_from_float(-value), half | 0x8000);
        if (half == 0x7bff)
            break;
        float middle = (value + next) / 2;
        assert_int_equal(half_from_float(middle), half + (half & 1));
        assert_int_equal(half_from_float(nextafterf(middle, 0)), half);
        assert_int_equal(half_from_float(nextafterf(middle, 1e6F)), half + 1);
    }
    assert_int_equal(half_from_float(65520), 0x7c00);
    assert_int_equal(half_from_float(1e30F), 0x7c00);
    assert_int_equal(half_from_float(1e-30F), 0);
    assert_true(isinf(half_to_float(0x7c00)));
    assert_true(isnan(half_to_float(half_from_float(NAN))));
}

static void codes_keep_products(void **state)
{
    (void)state;
    static const double allowed[CODE_KINDS] = {0.02, 0.001, 1e-5};
    enum { DIMENSION = 101 };
    float a[DIMENSION];
    float b[DIMENSION];
    for (int kind = 0; kind < CODE_KINDS; kind++) {
        struct coder coder = coder_make((enum code_kind)kind, DIMENSION);
        static _Alignas(64) char query[512];
        static _Alignas(64) char first[512];
        static _Alignas(64) char second[512];
        assert_true(coder.bytes <= 512 && coder_query_bytes(&coder) <= 512);
        random_unit(a, DIMENSION);
        random_unit(b, DIMENSION);
        double expected = 0;
        for (int i = 0; i < DIMENSION; i++)
            expected += (double)a[i] * (double)b[i];
        coder_encode(&coder, a, first);
        coder_encode(&coder, b, second);
        struct code_query left = {.data = query};
        coder_query(&coder, a, &left);
        float given = coder_product(&coder, &left, second);
        assert_true(fabs((double)given - expected) < allowed[kind]);
        coder_query_stored(&coder, first, &left);
        float stored = coder_product(&coder, &left, second);
        assert_true(fabsf(stored - given) < 0.001F);
    }
}

/* Half of the code tells where the product lies, for any dimension. */
static void half_a_code_bounds_the_product(void **state)
{
    (void)state;
    static float vectors[2][400];
    static _Alignas(64) char query[448];
    static _Alignas(64) char stored[448];
    double widest = 0;
    srand(5);
    for (uint32_t dimension = 1; dimension <= 400; dimension++) {
        struct coder coder = coder_make(CODE_INT8, dimension);
        struct code_query left = {.data = query};
        float error = 0;
        random_unit(vectors[0], dimension);
        random_unit(vectors[1], dimension);
        coder_encode(&coder, vectors[1], stored);
        coder_query(&coder, vectors[0], &left);
        float product = coder_product(&coder, &left, stored);
        float rough = coder_rough(&coder, &left, stored, &error);
        assert_true(fabsf(rough - product) <= error + 1e-6F);
        if (dimension >= 100)
            widest = fmax(widest, (double)error);
    }
    assert_true(widest < 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(halves_are_rounded_to_nearest),
        cmocka_unit_test(codes_keep_products),
        cmocka_unit_test(half_a_code_bounds_the_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
