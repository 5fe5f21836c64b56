#include "services/search/vector/dot_internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

float dot_neon_run(const float *a, const float *b, size_t n)
{
    float32x4_t sums[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0),
                           vdupq_n_f32(0)};
    for (size_t i = 0; i < n; i += 16) {
        for (size_t lane = 0; lane < 4; lane++)
            sums[lane] = vfmaq_f32(sums[lane], vld1q_f32(a + i + 4 * lane),
                                   vld1q_f32(b + i + 4 * lane));
    }
    return vaddvq_f32(
        vaddq_f32(vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3])));
}
#endif
