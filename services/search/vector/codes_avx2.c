#include "services/search/vector/codes_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline int32_t sum_of(__m256i sum)
{
    __m128i half =
        _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half);
}

/* Four products of 15 and 128 are far from what 16 bits hold. */
AVX2 static inline __m256i products_of_32(const int8_t *query, const uint8_t *plane,
                                          size_t half)
{
    const __m256i low = _mm256_set1_epi8(15);
    const void *lower = query;
    const void *upper = query + half;
    const void *bytes = plane;
    __m256i both = _mm256_loadu_si256(bytes);
    __m256i first =
        _mm256_maddubs_epi16(_mm256_and_si256(both, low), _mm256_loadu_si256(lower));
    __m256i second = _mm256_maddubs_epi16(
        _mm256_and_si256(_mm256_srli_epi16(both, 4), low), _mm256_loadu_si256(upper));
    return _mm256_madd_epi16(_mm256_add_epi16(first, second), _mm256_set1_epi16(1));
}

/* Eight bytes: their lower halves, then their upper ones. */
AVX2 static inline __m256i products_of_8(const int8_t *query, const uint8_t *plane,
                                         size_t half)
{
    const void *lower = query;
    const void *upper = query + half;
    const void *bytes = plane;
    __m128i both = _mm_loadl_epi64(bytes);
    __m128i halves = _mm_and_si128(_mm_unpacklo_epi64(both, _mm_srli_epi16(both, 4)),
                                   _mm_set1_epi8(15));
    __m128i left = _mm_unpacklo_epi64(_mm_loadl_epi64(lower), _mm_loadl_epi64(upper));
    __m128i products = _mm_madd_epi16(_mm_maddubs_epi16(halves, left), _mm_set1_epi16(1));
    return _mm256_inserti128_si256(_mm256_setzero_si256(), products, 0);
}

AVX2 int32_t code_plane_avx2(const int8_t *query, const uint8_t *plane, size_t n)
{
    __m256i sum = _mm256_setzero_si256();
    size_t half = n / 2;
    size_t i = 0;
    for (; i + 32 <= half; i += 32)
        sum = _mm256_add_epi32(sum, products_of_32(query + i, plane + i, half));
    for (; i < half; i += 8)
        sum = _mm256_add_epi32(sum, products_of_8(query + i, plane + i, half));
    return sum_of(sum);
}

AVX2 int32_t code_int8_avx2(const int8_t *query, const uint8_t *high, const uint8_t *low,
                            size_t n)
{
    return 16 * code_plane_avx2(query, high, n) + code_plane_avx2(query, low, n);
}

AVX2 static inline __m256i add_sums(__m256i sum, __m256i bytes)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

AVX2 static inline __m256i add_squares(__m256i sum, __m256i bytes)
{
    __m256i first = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes));
    __m256i second = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1));
    return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(first, first),
                                                  _mm256_madd_epi16(second, second)));
}

AVX2 struct code_sums code_unpack_avx2(const uint8_t *high, const uint8_t *low, size_t n,
                                       int8_t *bytes)
{
    const __m256i lower = _mm256_set1_epi8(15);
    const __m256i offset = _mm256_set1_epi8(-128);
    __m256i sum = _mm256_setzero_si256();
    __m256i square = _mm256_setzero_si256();
    size_t half = n / 2;
    size_t i = 0;
    for (; i + 32 <= half; i += 32) {
        const void *at[] = {high + i, low + i};
        void *to[] = {bytes + i, bytes + half + i};
        __m256i highs = _mm256_loadu_si256(at[0]);
        __m256i lows = _mm256_loadu_si256(at[1]);
        __m256i left =
            _mm256_or_si256(_mm256_slli_epi16(_mm256_and_si256(highs, lower), 4),
                            _mm256_and_si256(lows, lower));
        __m256i right =
            _mm256_or_si256(_mm256_andnot_si256(lower, highs),
                            _mm256_and_si256(_mm256_srli_epi16(lows, 4), lower));
        left = _mm256_xor_si256(left, offset);
        right = _mm256_xor_si256(right, offset);
        _mm256_storeu_si256(to[0], left);
        _mm256_storeu_si256(to[1], right);
        sum = add_sums(add_sums(sum, left), right);
        square = add_squares(add_squares(square, left), right);
    }
    struct code_sums sums = {sum_of(sum), sum_of(square)};
    for (; i < half; i++)
        code_unpack_pair(high[i], low[i], &bytes[i], &bytes[half + i], &sums);
    return sums;
}

__attribute__((target("avx2,fma,f16c"))) float
code_f16_avx2(const float *query, const uint16_t *stored, size_t n)
{
    __m256 sum = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += 8) {
        const void *half = stored + i;
        sum = _mm256_fmadd_ps(_mm256_loadu_ps(query + i),
                              _mm256_cvtph_ps(_mm_loadu_si128(half)), sum);
    }
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    four = _mm_add_ss(four, _mm_shuffle_ps(four, four, 1));
    return _mm_cvtss_f32(four);
}

__attribute__((target("avx2,fma"))) float code_row_avx2(const float *a, const float *b,
                                                        size_t n)
{
    __m256 sum = _mm256_setzero_ps();
    float rest = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        sum = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), sum);
    for (; i < n; i++)
        rest += a[i] * b[i];
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    four = _mm_add_ss(four, _mm_shuffle_ps(four, four, 1));
    return _mm_cvtss_f32(four) + rest;
}
#endif
