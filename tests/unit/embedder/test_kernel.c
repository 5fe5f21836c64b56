#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "services/embedder/model/kernel.h"

/* Every kernel that this processor runs, against plain loops in double precision. */

static uint32_t seed = 1;

static float noise(void)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        seed = seed * 1664525u + 1013904223u;
        sum += (float)(seed >> 8) / (float)(1 << 24) - 0.5f;
    }
    return sum;
}

static float *noise_array(size_t count)
{
    float *out = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        out[i] = noise();
    return out;
}

static void *room(size_t bytes)
{
    void *out = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(out);
    memset(out, 0, bytes);
    return out;
}

static double expected(const struct kernel_product *p, const float *before, size_t i,
                       size_t j)
{
    double sum = p->bias ? (double)p->bias[j] : 0;
    for (size_t k = 0; k < p->w->rows; k++)
        sum += (double)p->a[i * p->lda + k] * (double)q16_value(p->w, k, j);
    if (p->op == KERNEL_RELU)
        return sum > 0 ? sum : 0;
    return p->op == KERNEL_ADD ? sum + (double)before[i * p->ldc + j] : sum;
}

struct size {
    size_t m;
    size_t k;
    size_t n;
};

static void compare(const struct kernel *kernel, const struct kernel_product *p,
                    const float *before)
{
    double size = sqrt((double)p->w->rows) * 0.6 * 0.6;
    for (size_t at = 0; at < p->m * p->w->columns; at++) {
        size_t i = at / p->w->columns;
        size_t j = at % p->w->columns;
        double off = fabs((double)p->c[at] - expected(p, before, i, j));
        if (!(off < 1e-3 * size))
            fail_msg("%s %zux%zux%zu op %d at %zu,%zu: off by %g", kernel->name, p->m,
                     p->w->rows, p->w->columns, (int)p->op, i, j, off);
    }
}

static void check_product(const struct kernel *kernel, struct size size,
                          enum kernel_op op)
{
    size_t rows = q16_pad_rows(size.k);
    size_t columns = q16_pad_columns(size.n);
    float *weights = noise_array(size.k * size.n);
    void *data = room(q16_bytes(rows, columns));
    struct q16 w;
    q16_pack(weights, size.k, size.n, data);
    q16_view(&w, data, rows, columns);
    float *a = noise_array(size.m * rows);
    float *bias = noise_array(columns);
    float *c = noise_array(size.m * columns);
    float *before = noise_array(size.m * columns);
    memcpy(before, c, size.m * columns * sizeof(float));
    void *scratch = room(kernel_scratch_bytes(size.m));
    struct kernel_product p = {&w, bias, a, rows, size.m, c, columns, op, scratch};
    kernel->product(&p);
    compare(kernel, &p, before);
    free(weights);
    free(data);
    free(a);
    free(bias);
    free(c);
    free(before);
    free(scratch);
}

static void products_agree_on_odd_sizes(void **state)
{
    (void)state;
    static const struct size sizes[] = {{1, 64, 32},   {3, 1, 1},     {5, 65, 33},
                                        {16, 128, 64}, {17, 256, 96}, {31, 100, 40},
                                        {33, 512, 32}, {50, 70, 129}};
    for (const struct kernel *const *k = kernel_all(); *k; k++) {
        if (!(*k)->supported())
            continue;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            check_product(*k, sizes[i], KERNEL_SET);
            check_product(*k, sizes[i], KERNEL_RELU);
            check_product(*k, sizes[i], KERNEL_ADD);
        }
    }
}

static void quantising_keeps_sixteen_bits(void **state)
{
    (void)state;
    enum { K = 70, N = 37 };
    float *weights = noise_array((size_t)K * N);
    for (size_t i = 0; i < K; i++)
        weights[i * N + 5] = 0; /* a column of zeros */
    weights[3] = 1000;          /* and one with an outlier */
    void *data = room(q16_bytes(q16_pad_rows(K), q16_pad_columns(N)));
    struct q16 w;
    q16_pack(weights, K, N, data);
    q16_view(&w, data, q16_pad_rows(K), q16_pad_columns(N));
    for (size_t i = 0; i < K; i++) {
        for (size_t j = 0; j < N; j++) {
            double most = 0;
            for (size_t r = 0; r < K; r++)
                most = fmax(most, fabs((double)weights[r * N + j]));
            double off = fabs((double)weights[i * N + j] - (double)q16_value(&w, i, j));
            assert_true(off <= most / Q16_MAX);
        }
    }
    free(weights);
    free(data);
}

static double score(const struct kernel_attention *a, size_t head, size_t i, size_t j)
{
    size_t model = a->heads * a->width;
    const float *q = a->qkv + i * 3 * model + head * a->width;
    const float *k = a->qkv + j * 3 * model + model + head * a->width;
    double sum = 0;
    for (size_t d = 0; d < a->width; d++)
        sum += (double)q[d] * (double)k[d];
    return sum / sqrt((double)a->width);
}

static double attended(const struct kernel_attention *a, size_t head, size_t i, size_t d)
{
    size_t model = a->heads * a->width;
    double sum = 0;
    double weights = 0;
    for (size_t j = 0; j < a->n; j++) {
        double e = exp(score(a, head, i, j));
        weights += e;
        sum += e * (double)a->qkv[j * 3 * model + 2 * model + head * a->width + d];
    }
    return sum / weights;
}

static void compare_attention(const struct kernel *kernel,
                              const struct kernel_attention *a)
{
    size_t model = a->heads * a->width;
    size_t step = a->n > 40 ? 131 : 7; /* prime: every column comes up */
    for (size_t at = 0; at < a->n * model; at += step) {
        size_t i = at / model;
        size_t column = at % model;
        double want = attended(a, column / a->width, i, column % a->width);
        double off = fabs((double)a->out[at] - want);
        if (!(off < 1e-2))
            fail_msg("%s n %zu width %zu at %zu,%zu: off by %g", kernel->name, a->n,
                     a->width, i, column, off);
    }
}

static void check_attention(const struct kernel *kernel, size_t n, size_t width)
{
    enum { HEADS = 4 };
    float *qkv = noise_array(n * 3 * HEADS * width);
    for (size_t i = 0; i < n * 3 * HEADS * width; i++)
        qkv[i] *= 3; /* so that the scores differ widely */
    float *out = noise_array(n * HEADS * width);
    void *scratch = room(kernel_scratch_bytes(1));
    struct kernel_attention a = {qkv, n, HEADS, width, out, scratch};
    kernel->attention(&a);
    compare_attention(kernel, &a);
    free(qkv);
    free(out);
    free(scratch);
}

static void attention_agrees_on_odd_lengths(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 15, 16, 31, 32, 33, 100, 128};
    for (const struct kernel *const *k = kernel_all(); *k; k++) {
        for (size_t i = 0; (*k)->supported() && i < sizeof(lengths) / sizeof(size_t);
             i++) {
            check_attention(*k, lengths[i], 64);
            check_attention(*k, lengths[i], 128);
        }
    }
}

static void check_row(const float *row, size_t width, double variance)
{
    double sum = 0;
    double squares = 0;
    for (size_t j = 0; j < width; j++) {
        double v = (double)row[j] - 1;
        sum += v;
        squares += v * v;
    }
    assert_true(fabs(sum / (double)width) < 1e-4);
    assert_true(fabs(squares / (double)width - variance) < 1e-3);
}

static void normalising_gives_mean_zero(void **state)
{
    (void)state;
    enum { N = 3, WIDTH = 256 };
    float *x = noise_array((size_t)N * WIDTH);
    float *out = noise_array((size_t)N * WIDTH);
    float scale[WIDTH];
    float bias[WIDTH];
    for (size_t j = 0; j < WIDTH; j++) {
        scale[j] = 2;
        bias[j] = 1;
        x[j] = 5; /* a row without deviation */
    }
    for (const struct kernel *const *k = kernel_all(); *k; k++) {
        if (!(*k)->supported())
            continue;
        (*k)->normalise(x, scale, bias, out, N, WIDTH);
        for (size_t i = 0; i < N; i++)
            check_row(out + i * WIDTH, WIDTH, i == 0 ? 0 : 4);
    }
    free(x);
    free(out);
}

static void an_unknown_kernel_is_refused(void **state)
{
    (void)state;
    assert_null(kernel_find("abacus"));
    assert_ptr_equal(kernel_find("generic"), &kernel_generic);
    assert_non_null(kernel_find("auto"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_agree_on_odd_sizes),
        cmocka_unit_test(quantising_keeps_sixteen_bits),
        cmocka_unit_test(attention_agrees_on_odd_lengths),
        cmocka_unit_test(normalising_gives_mean_zero),
        cmocka_unit_test(an_unknown_kernel_is_refused),
    };
    return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
