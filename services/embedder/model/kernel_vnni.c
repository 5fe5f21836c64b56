/* VNNI: vector units that multiply 64 bytes by 64 and add the products by fours. One side
 * of the instruction is unsigned: weights get 128 added on the way, and what that adds to
 * a sum, 128 times the row's bytes, is taken off again. A row's four bytes are read as
 * often as there are columns, so it is the weights that are changed. */
/* Compiled with the flags of module.mk only; without them there is nothing here. */
#if defined(__AVX512VNNI__)
#include "services/embedder/model/kernel_bytes.h"

enum { MOST_ROWS = 8, FOUR = 4 };

static bool supported(void)
{
    return kernel_avx512.supported() && __builtin_cpu_supports("avx512vnni");
}

/* What 128 more in each weight adds to the sums of a row. */
struct surplus {
    int32_t high;
    int32_t mixed;
};

/* A product on its way: rows in blocks, their scales and surpluses. */
struct job {
    const struct kernel_product *p;
    const int8_t *tiles;
    const float *scale;
    const struct surplus *surplus;
};

static int32_t sum_of(const int8_t *line, size_t k)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t j = 0; j < k; j += 64, line += TILES)
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), _mm512_load_si512(line));
    return _mm512_reduce_add_epi32(sum);
}

static void find_surplus(const struct kernel_product *p, const int8_t *tiles,
                         struct surplus *out)
{
    for (size_t i = 0; i < p->m; i++) {
        const int8_t *line = tiles + i / TILE * p->w->strip + i % TILE * 64;
        int32_t high = 128 * sum_of(line, p->w->rows);
        int32_t low = 128 * sum_of(line + PLANE, p->w->rows);
        out[i] = (struct surplus){high, high + low};
    }
}

static inline __m512i bytes_of(const int8_t *weights)
{
    return _mm512_xor_si512(_mm512_load_si512(weights), _mm512_set1_epi8(-128));
}

static inline __m512i four_of(const int8_t *row)
{
    int32_t bytes;
    __builtin_memcpy(&bytes, row, sizeof(bytes));
    return _mm512_set1_epi32(bytes);
}

/* 16 results of row i, from column j on. */
static inline void finish(const struct job *job, size_t i, size_t j, __m512i high,
                          __m512i mixed)
{
    const struct kernel_product *p = job->p;
    float *c = p->c + i * p->ldc + j;
    high = _mm512_sub_epi32(high, _mm512_set1_epi32(job->surplus[i].high));
    mixed = _mm512_sub_epi32(mixed, _mm512_set1_epi32(job->surplus[i].mixed));
    __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(p->w->scale + j),
                                 _mm512_set1_ps(256 * job->scale[i]));
    __m512 bias = p->bias ? _mm512_loadu_ps(p->bias + j) : _mm512_setzero_ps();
    __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(256),
                               _mm512_cvtepi32_ps(mixed));
    v = _mm512_fmadd_ps(v, scale, bias);
    if (p->op == KERNEL_RELU)
        v = _mm512_max_ps(v, _mm512_setzero_ps());
    else if (p->op == KERNEL_ADD)
        v = _mm512_add_ps(v, _mm512_loadu_ps(c));
    _mm512_storeu_ps(c, v);
}

/* Sums of a few rows by 16 columns. */
struct sums {
    __m512i high[MOST_ROWS];
    __m512i mixed[2][MOST_ROWS]; /* two, so that one need not wait for the other */
};

/* Four bytes of each row by four rows of weights. */
static inline __attribute__((always_inline)) void
step(const int8_t *a, const int8_t *b, const size_t rows, struct sums *sums)
{
    __m512i b_high = bytes_of(b);
    __m512i b_low = bytes_of(b + PLANE);
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
        __m512i a_high = four_of(a + r * 64);
        __m512i a_low = four_of(a + PLANE + r * 64);
        sums->high[r] = _mm512_dpbusd_epi32(sums->high[r], b_high, a_high);
        sums->mixed[0][r] = _mm512_dpbusd_epi32(sums->mixed[0][r], b_low, a_high);
        sums->mixed[1][r] = _mm512_dpbusd_epi32(sums->mixed[1][r], b_high, a_low);
    }
}

/* `rows` rows from row i by the 16 columns from j: sums that stay in registers over all
 * of k. Rows beyond p->m are multiplied, and not finished. */
static inline __attribute__((always_inline)) void block(const struct job *job, size_t i,
                                                        size_t j, const size_t rows)
{
    const struct kernel_product *p = job->p;
    const int8_t *a = job->tiles + i / TILE * p->w->strip + i % TILE * 64;
    const int8_t *b = q16_tile(p->w, j / TILE, 0);
    const int8_t *end = b + q16_strip_bytes(p->w->rows);
    struct sums sums;
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
        sums.high[r] = sums.mixed[0][r] = sums.mixed[1][r] = _mm512_setzero_si512();
    for (; b < end; a += TILES, b += TILES) {
        for (size_t four = 0; four < 64 / FOUR; four++)
            step(a + four * FOUR, b + four * 64, rows, &sums);
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
        if (i + r < p->m)
            finish(job, i + r, j, sums.high[r],
                   _mm512_add_epi32(sums.mixed[0][r], sums.mixed[1][r]));
    }
}

static void product(const struct kernel_product *p)
{
    size_t blocks = (p->m + TILE - 1) / TILE;
    int8_t *tiles = p->scratch;
    float *scale = (float *)(void *)(tiles + blocks * p->w->strip);
    struct surplus *surplus = (struct surplus *)(void *)(scale + blocks * TILE);
    const struct job job = {p, tiles, scale, surplus};

    quantise(p, tiles, scale);
    find_surplus(p, tiles, surplus);
    for (size_t j = 0; j < p->w->columns; j += TILE) {
        size_t i = 0;
        for (; i + FOUR < p->m; i += MOST_ROWS)
            block(&job, i, j, MOST_ROWS);
        if (i < p->m)
            block(&job, i, j, FOUR);
    }
}

static void attention(const struct kernel_attention *a)
{
    kernel_avx512.attention(a);
}

static void normalise(const float *x, const float *scale, const float *bias, float *out,
                      size_t n, size_t width)
{
    kernel_avx512.normalise(x, scale, bias, out, n, width);
}

const struct kernel kernel_vnni = {"vnni", supported, product, attention, normalise};
#else
typedef int kernel_vnni_is_for_x86;
#endif
