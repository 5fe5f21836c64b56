#include "services/search/vector/dot_internal.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

__attribute__((target("avx512f"))) float dot_avx512_run(const float *a, const float *b,
                                                        size_t n)
{
    __m512 first = _mm512_setzero_ps();
    __m512 second = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        first = _mm512_fmadd_ps(_mm512_load_ps(a + i), _mm512_load_ps(b + i), first);
        second = _mm512_fmadd_ps(_mm512_load_ps(a + i + 16), _mm512_load_ps(b + i + 16),
                                 second);
    }
    if (i < n)
        first = _mm512_fmadd_ps(_mm512_load_ps(a + i), _mm512_load_ps(b + i), first);
    return _mm512_reduce_add_ps(_mm512_add_ps(first, second));
}
#endif
