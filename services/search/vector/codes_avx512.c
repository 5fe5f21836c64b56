#include "services/search/vector/codes_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

VNNI static inline __m512i add_plane(__m512i sum, __m512i plane, __m512i left,
                                     __m512i right)
{
    const __m512i half = _mm512_set1_epi8(15);
    sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(plane, half), left);
    return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(plane, 4), half),
                               right);
}

VNNI int32_t code_int8_vnni(const int8_t *query, const uint8_t *high, const uint8_t *low,
                            size_t n)
{
    __m512i highs = _mm512_setzero_si512();
    __m512i lows = _mm512_setzero_si512();
    size_t half = n / 2;
    for (size_t i = 0; i < half; i += 64) {
        __mmask64 part = UINT64_MAX >> (half - i < 64 ? 64 - (half - i) : 0);
        __m512i left = _mm512_maskz_loadu_epi8(part, query + i);
        __m512i right = _mm512_maskz_loadu_epi8(part, query + half + i);
        highs = add_plane(highs, _mm512_maskz_loadu_epi8(part, high + i), left, right);
        lows = add_plane(lows, _mm512_maskz_loadu_epi8(part, low + i), left, right);
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(highs, 4), lows));
}

VNNI int32_t code_plane_vnni(const int8_t *query, const uint8_t *plane, size_t n)
{
    __m512i sum = _mm512_setzero_si512();
    size_t half = n / 2;
    for (size_t i = 0; i < half; i += 64) {
        __mmask64 part = UINT64_MAX >> (half - i < 64 ? 64 - (half - i) : 0);
        sum = add_plane(sum, _mm512_maskz_loadu_epi8(part, plane + i),
                        _mm512_maskz_loadu_epi8(part, query + i),
                        _mm512_maskz_loadu_epi8(part, query + half + i));
    }
    return _mm512_reduce_add_epi32(sum);
}

VNNI static inline __m512i add_squares(__m512i sum, __m512i bytes)
{
    __m512i first = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(bytes));
    __m512i second = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(bytes, 1));
    return _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum, first, first), second, second);
}

VNNI struct code_sums code_unpack_vnni(const uint8_t *high, const uint8_t *low, size_t n,
                                       int8_t *bytes)
{
    const __m512i lower = _mm512_set1_epi8(15);
    const __m512i offset = _mm512_set1_epi8(-128);
    const __m512i one = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
    __m512i square = _mm512_setzero_si512();
    size_t half = n / 2;
    for (size_t i = 0; i < half; i += 64) {
        __mmask64 part = UINT64_MAX >> (half - i < 64 ? 64 - (half - i) : 0);
        __m512i highs = _mm512_maskz_loadu_epi8(part, high + i);
        __m512i lows = _mm512_maskz_loadu_epi8(part, low + i);
        __m512i left =
            _mm512_or_si512(_mm512_slli_epi16(_mm512_and_si512(highs, lower), 4),
                            _mm512_and_si512(lows, lower));
        __m512i right =
            _mm512_or_si512(_mm512_andnot_si512(lower, highs),
                            _mm512_and_si512(_mm512_srli_epi16(lows, 4), lower));
        left = _mm512_maskz_mov_epi8(part, _mm512_xor_si512(left, offset));
        right = _mm512_maskz_mov_epi8(part, _mm512_xor_si512(right, offset));
        _mm512_mask_storeu_epi8(bytes + i, part, left);
        _mm512_mask_storeu_epi8(bytes + half + i, part, right);
        sum = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, one, left), one, right);
        square = add_squares(add_squares(square, left), right);
    }
    return (struct code_sums){_mm512_reduce_add_epi32(sum),
                              _mm512_reduce_add_epi32(square)};
}

__attribute__((target("avx512f"))) float code_f16_avx512(const float *query,
                                                         const uint16_t *stored, size_t n)
{
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        const void *half = stored + i;
        sum = _mm512_fmadd_ps(_mm512_loadu_ps(query + i),
                              _mm512_cvtph_ps(_mm256_loadu_si256(half)), sum);
    }
    return _mm512_reduce_add_ps(sum);
}

__attribute__((target("avx512f"))) float code_row_avx512(const float *a, const float *b,
                                                         size_t n)
{
    __m512 first = _mm512_setzero_ps();
    __m512 second = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        first = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), first);
        second = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16),
                                 second);
    }
    for (; i < n; i += 16) {
        size_t left = n - i < 16 ? n - i : 16;
        __mmask16 rest = (__mmask16)((1U << left) - 1);
        first = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, a + i),
                                _mm512_maskz_loadu_ps(rest, b + i), first);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(first, second));
}
#endif
