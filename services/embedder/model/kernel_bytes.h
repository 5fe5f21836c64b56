/* kernel_bytes: activations as bytes, for the kernels that multiply bytes (AMX, VNNI).
 * Values are quantised to 16 bits per row and split in two bytes, like the weights; of
 * the four products high·high and the two mixed ones are computed (low·low lies below
 * what 16 bits hold), and the sums are exact.
 *
 * Sixteen rows make a block: tile after tile of 64 columns, each as a plane of high bytes
 * and one of low ones, row after row. A block has as many bytes as a strip of weights. */
#ifndef EMBEDDER_KERNEL_BYTES_H
#define EMBEDDER_KERNEL_BYTES_H

#include <immintrin.h>

#include "services/embedder/model/kernel.h"

enum { TILE = 16, PLANE = Q16_TILE_BYTES, TILES = 2 * Q16_TILE_BYTES };

static inline float largest(const float *x, size_t k)
{
    __m512 most = _mm512_setzero_ps();
    for (size_t j = 0; j < k; j += 16)
        most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(x + j)));
    return _mm512_reduce_max_ps(most);
}

/* Four times sixteen numbers that fit into bytes, in order. */
static inline __m512i to_bytes(const __m512i v[4])
{
    __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i left = _mm512_packs_epi32(v[0], v[1]);
    __m512i right = _mm512_packs_epi32(v[2], v[3]);
    return _mm512_permutexvar_epi32(order, _mm512_packs_epi16(left, right));
}

/* 64 numbers: one row of a tile in each plane. */
static inline void quantise_line(const float *x, float inverse, int8_t *out)
{
    __m512i high[4];
    __m512i low[4];
    for (size_t part = 0; part < 4; part++) {
        __m512 scaled =
            _mm512_mul_ps(_mm512_loadu_ps(x + 16 * part), _mm512_set1_ps(inverse));
        __m512i q = _mm512_cvtps_epi32(scaled);
        high[part] = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(128)), 8);
        low[part] = _mm512_sub_epi32(q, _mm512_slli_epi32(high[part], 8));
    }
    _mm512_store_si512(out, to_bytes(high));
    _mm512_store_si512(out + PLANE, to_bytes(low));
}

/* Sixteen rows, tile by tile: written in order of address, else the caches suffer. */
static inline void quantise_block(const float *a, size_t lda, size_t rows, size_t k,
                                  int8_t *out, float *scale)
{
    float inverse[TILE];
    for (size_t i = 0; i < rows; i++) {
        float top = largest(a + i * lda, k);
        inverse[i] = top > 0 ? Q16_MAX / top : 0;
        scale[i] = top / Q16_MAX;
    }
    for (size_t j = 0; j < k; j += 64, out += TILES) {
        for (size_t i = 0; i < rows; i++)
            quantise_line(a + i * lda + j, inverse[i], out + i * 64);
    }
}

/* A block of a whole matrix and a row's scale: `tiles` has p->w->strip bytes for each. */
static inline void quantise(const struct kernel_product *p, int8_t *tiles, float *scale)
{
    size_t block = p->w->strip / TILE; /* of tiles, per row */
    for (size_t i = 0; i < p->m; i += TILE) {
        size_t rows = p->m - i < TILE ? p->m - i : TILE;
        quantise_block(p->a + i * p->lda, p->lda, rows, p->w->rows, tiles + i * block,
                       scale + i);
    }
}

#endif
