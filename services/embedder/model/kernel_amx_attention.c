/* Attention on the matrix units: keys and values of a head are quantised as weights are,
 * and both products are those of kernel_amx.c. */
#if defined(__AVX512F__)
#define LANES 16
#include "services/embedder/model/kernel_amx.h"

#include <immintrin.h>

#include "services/embedder/model/kernel_soften.h"

enum {
    SEQUENCE = KERNEL_SEQUENCE_MAX,
    WIDTH_MAX = 128,
    PLANE = Q16_TILE_BYTES,
    TILES = 2 * Q16_TILE_BYTES,
    MATRIX_BYTES = SEQUENCE * WIDTH_MAX * 2,
};

/* Where things stand in the scratch area. */
struct area {
    struct q16 keys;   /* width × n: a key is a column */
    struct q16 values; /* n × width */
    int8_t *key_tiles;
    int8_t *value_tiles;
    float *key_scale;
    float *value_scale;
    float *scores; /* n rows of SEQUENCE */
    void *product;
};

static inline __m512i quantise(const float *x, __m512 inverse)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), inverse));
}

static inline __m512i high_of(__m512i q)
{
    return _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(128)), 8);
}

/* Four bytes of a column stand together, columns 4 bytes and rows of tiles 64 apart. */
static void scatter(int8_t *to, __m128i bytes)
{
    int32_t words4[4];
    _mm_storeu_si128((__m128i *)(void *)words4, bytes);
    for (size_t r = 0; r < 4; r++)
        __builtin_memcpy(to + r * 64, &words4[r], 4);
}

static void pack_key(struct area *area, const float *key, size_t width, size_t column)
{
    int8_t *strip = area->key_tiles + column / 16 * area->keys.strip + column % 16 * 4;
    __m512 most = _mm512_setzero_ps();
    for (size_t d = 0; d < width; d += 16)
        most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(key + d)));
    float top = _mm512_reduce_max_ps(most);
    __m512 inverse = _mm512_set1_ps(top > 0 ? Q16_MAX / top : 0);
    area->key_scale[column] = top / Q16_MAX;
    for (size_t d = 0; d < width; d += 16) {
        __m512i q = quantise(key + d, inverse);
        int8_t *to = strip + d / 64 * TILES + d % 64 / 4 * 64;
        scatter(to, _mm512_cvtepi32_epi8(high_of(q)));
        scatter(to + PLANE, _mm512_cvtepi32_epi8(q));
    }
}

/* Columns beyond n are left as they are: their scores are never looked at. */
static void pack_keys(const struct kernel_attention *a, size_t head, struct area *area)
{
    const float *keys = a->qkv + (a->heads + head) * a->width;
    for (size_t i = 0; i < a->n; i++)
        pack_key(area, keys + i * 3 * a->heads * a->width, a->width, i);
    for (size_t i = a->n; i < area->keys.columns; i++)
        area->key_scale[i] = 0;
}

/* Four rows of 16 columns: one row of a tile in each plane. */
static void pack_four(int8_t *to, const float *values, size_t stride, size_t rows,
                      __m512 inverse)
{
    __m512i high = _mm512_setzero_si512();
    __m512i low = _mm512_setzero_si512();
    for (size_t r = 0; r < rows; r++) {
        __m512i q = quantise(values + r * stride, inverse);
        __m512i byte = _mm512_set1_epi32(255);
        __m128i shift = _mm_cvtsi32_si128((int)r * 8);
        high = _mm512_or_si512(
            high, _mm512_sll_epi32(_mm512_and_si512(high_of(q), byte), shift));
        low = _mm512_or_si512(low, _mm512_sll_epi32(_mm512_and_si512(q, byte), shift));
    }
    _mm512_storeu_si512(to, high);
    _mm512_storeu_si512(to + PLANE, low);
}

static void pack_value_strip(const struct kernel_attention *a, const float *values,
                             struct area *area, size_t column)
{
    size_t stride = 3 * a->heads * a->width;
    int8_t *strip = area->value_tiles + column / 16 * area->values.strip;
    __m512 most = _mm512_set1_ps(1e-30f);
    for (size_t i = 0; i < a->n; i++)
        most = _mm512_max_ps(
            most, _mm512_abs_ps(_mm512_loadu_ps(values + i * stride + column)));
    __m512 inverse = _mm512_div_ps(_mm512_set1_ps(Q16_MAX), most);
    _mm512_storeu_ps(area->value_scale + column,
                     _mm512_mul_ps(most, _mm512_set1_ps(1.0f / Q16_MAX)));
    for (size_t i = 0; i < area->values.rows; i += 4) {
        size_t rows = i >= a->n ? 0 : a->n - i < 4 ? a->n - i : 4;
        pack_four(strip + i / 64 * TILES + i % 64 / 4 * 64, values + i * stride + column,
                  stride, rows, inverse);
    }
}

static struct q16 matrix(size_t rows, size_t columns, const float *scale,
                         const int8_t *tiles)
{
    rows = q16_pad_rows(rows);
    return (struct q16){rows, q16_pad_columns(columns), q16_strip_bytes(rows), scale,
                        tiles};
}

static void lay_out(const struct kernel_attention *a, struct area *area)
{
    char *at = a->scratch;
    area->key_tiles = (int8_t *)at;
    area->value_tiles = area->key_tiles + MATRIX_BYTES;
    area->scores = (float *)(void *)(at + (size_t)2 * MATRIX_BYTES);
    area->key_scale = area->scores + (size_t)SEQUENCE * SEQUENCE;
    area->value_scale = area->key_scale + SEQUENCE;
    area->product = area->value_scale + WIDTH_MAX;
    area->keys = matrix(a->width, a->n, area->key_scale, area->key_tiles);
    area->values = matrix(a->n, a->width, area->value_scale, area->value_tiles);
}

static void attend(const struct kernel_attention *a, size_t head, struct area *area)
{
    size_t model = a->heads * a->width;
    size_t padded = (a->n + 15) / 16 * 16;
    float *out = a->out + head * a->width;
    float sums[SEQUENCE];

    pack_keys(a, head, area);
    kernel_amx_product(&(struct kernel_product){
        .w = &area->keys,
        .a = a->qkv + head * a->width,
        .lda = 3 * model,
        .m = a->n,
        .c = area->scores,
        .ldc = SEQUENCE,
        .op = KERNEL_SET,
        .scratch = area->product,
    });
    for (size_t i = 0; i < a->n; i++) {
        float *row = area->scores + i * SEQUENCE;
        sums[i] = soften(row, a->n, padded, 1 / sqrtf((float)a->width));
        for (size_t j = padded; j < area->values.rows; j++)
            row[j] = 0;
    }
    for (size_t d = 0; d < a->width; d += 16)
        pack_value_strip(a, a->qkv + 2 * model + head * a->width, area, d);
    kernel_amx_product(&(struct kernel_product){
        .w = &area->values,
        .a = area->scores,
        .lda = SEQUENCE,
        .m = a->n,
        .c = out,
        .ldc = model,
        .op = KERNEL_SET,
        .scratch = area->product,
    });
    for (size_t i = 0; i < a->n; i++) {
        for (size_t d = 0; d < a->width; d += LANES)
            store(out + i * model + d, load(out + i * model + d) / sums[i]);
    }
}

void kernel_amx_attention(const struct kernel_attention *a)
{
    struct area area;
    lay_out(a, &area);
    for (size_t head = 0; head < a->heads; head++)
        attend(a, head, &area);
}
#else
typedef int kernel_amx_attention_is_for_x86;
#endif
