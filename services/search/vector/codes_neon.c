#include "services/search/vector/codes_internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

/* Signed by signed, and the offset's share beside it. */
int32_t code_int8_neon(const int8_t *query, const uint8_t *stored, size_t n)
{
    int32x4_t sum = vdupq_n_s32(0);
    int32x4_t ones = vdupq_n_s32(0);
    for (size_t i = 0; i < n; i += 16) {
        int8x16_t a = vld1q_s8(query + i);
        int8x16_t b =
            vreinterpretq_s8_u8(veorq_u8(vld1q_u8(stored + i), vdupq_n_u8(0x80)));
        sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        sum = vpadalq_s16(sum, vmull_s8(vget_high_s8(a), vget_high_s8(b)));
        ones = vpadalq_s16(ones, vpaddlq_s8(a));
    }
    return vaddvq_s32(sum) + 128 * vaddvq_s32(ones);
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
