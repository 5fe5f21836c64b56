/* kernel_lanes: the float kernels, written once with GCC's vector types and compiled once
 * per instruction set: a kernel_*.c defines LANES (floats in a register), TILE_ROWS and
 * TILE_VECTORS (the block of results held in registers), and includes this. */
#include <math.h>
#include <string.h>

#include "services/embedder/model/kernel.h"
#include "services/embedder/model/kernel_soften.h"

enum { STRIP = 32 };

/* c[m × 32] = a[m × k] · strip[k × 32] */
struct strip_product {
    const float *a;
    size_t lda;
    size_t m;
    const float *strip;
    size_t k;
    float *c;
    size_t ldc;
};

/* `rows` rows from row i and TILE_VECTORS vectors from column j: a block that stays in
 * registers over all of k. */
static inline __attribute__((always_inline)) void
block(const struct strip_product *p, size_t i, size_t j, const size_t rows)
{
    const float *a = p->a + i * p->lda;
    const float *strip = p->strip + j;
    float *c = p->c + i * p->ldc + j;
    const size_t lda = p->lda;
    lanes sum[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 16
        for (size_t v = 0; v < TILE_VECTORS; v++)
            sum[r][v] = (lanes){0};
    }
    for (size_t d = 0; d < p->k; d++) {
        lanes b[TILE_VECTORS];
#pragma GCC unroll 16
        for (size_t v = 0; v < TILE_VECTORS; v++)
            b[v] = load(strip + d * STRIP + v * LANES);
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 16
            for (size_t v = 0; v < TILE_VECTORS; v++)
                sum[r][v] += a[r * lda + d] * b[v];
        }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 16
        for (size_t v = 0; v < TILE_VECTORS; v++)
            store(c + r * p->ldc + v * LANES, sum[r][v]);
    }
}

static void multiply(const struct strip_product *p)
{
    for (size_t j = 0; j < STRIP; j += (size_t)TILE_VECTORS * LANES) {
        size_t i = 0;
        for (; i + TILE_ROWS <= p->m; i += TILE_ROWS)
            block(p, i, j, TILE_ROWS);
        for (; i + 4 <= p->m; i += 4)
            block(p, i, j, 4);
        for (; i < p->m; i++)
            block(p, i, j, 1);
    }
}

static inline words load_words(const int8_t *from)
{
    words out;
    memcpy(&out, from, sizeof(out));
    return out;
}

/* A word holds four rows of a column, a byte each: row r of them. */
static inline words row_of(words four, int r)
{
    return four << (24 - 8 * r) >> 24;
}

static void expand_four(const int8_t *high, float *to)
{
    words highs = load_words(high);
    words lows = load_words(high + Q16_TILE_BYTES);
    for (int r = 0; r < 4; r++) {
        words value = row_of(highs, r) * 256 + row_of(lows, r);
        store(to + (size_t)r * STRIP, __builtin_convertvector(value, lanes));
    }
}

static void expand_tile(const int8_t *high, float *to)
{
    for (size_t r = 0; r < Q16_TILE_ROWS; r += 4) {
        for (size_t c = 0; c < Q16_TILE_COLUMNS; c += LANES)
            expand_four(high + r * Q16_TILE_COLUMNS + c * 4, to + r * STRIP + c);
    }
}

/* Two strips of 16 columns as floats, unscaled, row after row of 32. */
static void expand(const struct q16 *w, size_t pair, float *out)
{
    for (size_t half = 0; half < 2; half++) {
        for (size_t b = 0; b < w->rows / Q16_TILE_ROWS; b++)
            expand_tile(q16_tile(w, 2 * pair + half, b),
                        out + b * Q16_TILE_ROWS * STRIP + half * Q16_TILE_COLUMNS);
    }
}

/* 32 results of one row: scale, bias, what the operation asks. */
static void finish_row(const struct kernel_product *p, size_t column, const float *sums,
                       float *c)
{
    const float *scale = p->w->scale + column;
    for (size_t j = 0; j < STRIP; j += LANES) {
        lanes v = load(sums + j) * load(scale + j);
        if (p->bias)
            v += load(p->bias + column + j);
        if (p->op == KERNEL_RELU) {
            words keep = v > 0; /* all bits where positive */
            v = (lanes)((words)v & keep);
        } else if (p->op == KERNEL_ADD) {
            v += load(c + j);
        }
        store(c + j, v);
    }
}

static void product(const struct kernel_product *p)
{
    float *strip = p->scratch;
    float *sums = strip + p->w->rows * STRIP;
    enum { ROWS = 48 };

    for (size_t pair = 0; pair < p->w->columns / STRIP; pair++) {
        expand(p->w, pair, strip);
        for (size_t i = 0; i < p->m; i += ROWS) {
            size_t rows = p->m - i < ROWS ? p->m - i : ROWS;
            multiply(&(struct strip_product){p->a + i * p->lda, p->lda, rows, strip,
                                             p->w->rows, sums, STRIP});
            for (size_t r = 0; r < rows; r++)
                finish_row(p, pair * STRIP, sums + r * STRIP,
                           p->c + (i + r) * p->ldc + pair * STRIP);
        }
    }
}

static void normalise_row(const float *x, const float *scale, const float *bias,
                          float *out, size_t width)
{
    lanes sum = {0};
    for (size_t j = 0; j < width; j += LANES)
        sum += load(x + j);
    float mean = total(sum) / (float)width;
    lanes squares = {0};
    for (size_t j = 0; j < width; j += LANES) {
        lanes d = load(x + j) - mean;
        squares += d * d;
    }
    float inverse = 1 / sqrtf(total(squares) / (float)width + 1e-6f);
    for (size_t j = 0; j < width; j += LANES)
        store(out + j, (load(x + j) - mean) * inverse * load(scale + j) + load(bias + j));
}

static void normalise(const float *x, const float *scale, const float *bias, float *out,
                      size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++)
        normalise_row(x + i * width, scale, bias, out + i * width, width);
}

/* The keys of one head as strips: strip s holds keys 32s … 32s + 31 as columns. */
static void transpose_keys(const struct kernel_attention *a, size_t head, float *out)
{
    size_t stride = 3 * a->heads * a->width;
    const float *keys = a->qkv + a->heads * a->width + head * a->width;
    for (size_t i = 0; i < (a->n + 31) / 32 * 32; i++) {
        float *to = out + i / STRIP * STRIP * a->width + i % STRIP;
        for (size_t d = 0; d < a->width; d++)
            to[d * STRIP] = i < a->n ? keys[i * stride + d] : 0;
    }
}

static void attend(const struct kernel_attention *a, size_t head, float *keys,
                   float *values, float *scores)
{
    size_t model = a->heads * a->width;
    size_t padded = (a->n + 31) / 32 * 32;
    float scale = 1 / sqrtf((float)a->width);

    transpose_keys(a, head, keys);
    for (size_t s = 0; s < padded / STRIP; s++)
        multiply(&(struct strip_product){a->qkv + head * a->width, 3 * model, a->n,
                                         keys + s * STRIP * a->width, a->width,
                                         scores + s * STRIP, KERNEL_SEQUENCE_MAX});
    float sums[KERNEL_SEQUENCE_MAX];
    for (size_t i = 0; i < a->n; i++)
        sums[i] = soften(scores + i * KERNEL_SEQUENCE_MAX, a->n, padded, scale);
    for (size_t d = 0; d < a->width; d += STRIP) {
        const float *from = a->qkv + 2 * model + head * a->width + d;
        for (size_t i = 0; i < a->n; i++)
            memcpy(values + i * STRIP, from + i * 3 * model, STRIP * sizeof(float));
        multiply(&(struct strip_product){scores, KERNEL_SEQUENCE_MAX, a->n, values, a->n,
                                         a->out + head * a->width + d, model});
    }
    for (size_t i = 0; i < a->n; i++) {
        float *out = a->out + i * model + head * a->width;
        for (size_t d = 0; d < a->width; d += LANES)
            store(out + d, load(out + d) / sums[i]);
    }
}

static void attention(const struct kernel_attention *a)
{
    size_t area = (size_t)KERNEL_SEQUENCE_MAX * KERNEL_SEQUENCE_MAX;
    float *keys = a->scratch;
    for (size_t head = 0; head < a->heads; head++)
        attend(a, head, keys, keys + area, keys + 2 * area);
}
