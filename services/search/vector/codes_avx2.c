#include "services/search/vector/codes_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

/* Through 16 bits: the instruction for bytes saturates. */
__attribute__((target("avx2"))) int32_t code_int8_avx2(const int8_t *query,
                                                       const uint8_t *stored, size_t n)
{
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += 16) {
        const void *left = query + i;
        const void *right = stored + i;
        __m256i a = _mm256_cvtepi8_epi16(_mm_loadu_si128(left));
        __m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128(right));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    __m128i half =
        _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half);
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
