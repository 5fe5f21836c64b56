#include "services/search/vector/dot_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

__attribute__((target("avx2,fma"))) float dot_avx2_run(const float *a, const float *b,
                                                       size_t n)
{
    __m256 first = _mm256_setzero_ps();
    __m256 second = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
        first = _mm256_fmadd_ps(_mm256_load_ps(a + i), _mm256_load_ps(b + i), first);
        second =
            _mm256_fmadd_ps(_mm256_load_ps(a + i + 8), _mm256_load_ps(b + i + 8), second);
    }
    first = _mm256_add_ps(first, second);
    __m128 half =
        _mm_add_ps(_mm256_castps256_ps128(first), _mm256_extractf128_ps(first, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    half = _mm_add_ss(half, _mm_shuffle_ps(half, half, 1));
    return _mm_cvtss_f32(half);
}
#endif
