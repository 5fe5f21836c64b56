#include "services/search/vector/codes_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) int32_t
code_int8_vnni(const int8_t *query, const uint8_t *stored, size_t n)
{
    __m512i first = _mm512_setzero_si512();
    __m512i second = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 128 <= n; i += 128) {
        first = _mm512_dpbusd_epi32(first, _mm512_loadu_si512(stored + i),
                                    _mm512_loadu_si512(query + i));
        second = _mm512_dpbusd_epi32(second, _mm512_loadu_si512(stored + i + 64),
                                     _mm512_loadu_si512(query + i + 64));
    }
    if (i + 64 <= n) {
        first = _mm512_dpbusd_epi32(first, _mm512_loadu_si512(stored + i),
                                    _mm512_loadu_si512(query + i));
        i += 64;
    }
    if (i < n) {
        __mmask64 rest = (UINT64_C(1) << (n - i)) - 1;
        second = _mm512_dpbusd_epi32(second, _mm512_maskz_loadu_epi8(rest, stored + i),
                                     _mm512_maskz_loadu_epi8(rest, query + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(first, second));
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
