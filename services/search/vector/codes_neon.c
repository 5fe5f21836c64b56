#include "services/search/vector/codes_internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/* Halves of bytes are signed and unsigned alike. Eight bytes at a time: a plane is a
 * multiple of that. */
int32_t code_plane_neon(const int8_t *query, const uint8_t *plane, size_t n)
{
    int32x4_t sum = vdupq_n_s32(0);
    size_t half = n / 2;
    for (size_t i = 0; i < half; i += 8) {
        uint8x8_t both = vld1_u8(plane + i);
        int8x8_t lower = vreinterpret_s8_u8(vand_u8(both, vdup_n_u8(15)));
        int8x8_t upper = vreinterpret_s8_u8(vshr_n_u8(both, 4));
        sum = vpadalq_s16(sum, vmull_s8(lower, vld1_s8(query + i)));
        sum = vpadalq_s16(sum, vmull_s8(upper, vld1_s8(query + half + i)));
    }
    return vaddvq_s32(sum);
}

int32_t code_int8_neon(const int8_t *query, const uint8_t *high, const uint8_t *low,
                       size_t n)
{
    return 16 * code_plane_neon(query, high, n) + code_plane_neon(query, low, n);
}

float code_f16_neon(const float *query, const uint16_t *stored, size_t n)
{
    float32x4_t sum = vdupq_n_f32(0);
    for (size_t i = 0; i < n; i += 4) {
        float32x4_t b = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(stored + i)));
        sum = vfmaq_f32(sum, vld1q_f32(query + i), b);
    }
    return vaddvq_f32(sum);
}

float code_row_neon(const float *a, const float *b, size_t n)
{
    float32x4_t sum = vdupq_n_f32(0);
    float rest = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        sum = vfmaq_f32(sum, vld1q_f32(a + i), vld1q_f32(b + i));
    for (; i < n; i++)
        rest += a[i] * b[i];
    return vaddvq_f32(sum) + rest;
}
#endif
