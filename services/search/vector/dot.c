#include "services/search/vector/dot.h"

#include "services/search/vector/dot_internal.h"

static float scalar(const float *a, const float *b, size_t n)
{
    float sums[8] = {0};
    for (size_t i = 0; i < n; i += 8) {
        for (size_t lane = 0; lane < 8; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static bool always(void)
{
    return true;
}

#if defined(__x86_64__) || defined(__i386__)
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

const struct dot_kernel *dot_kernels(void)
{
    static const struct dot_kernel kernels[] = {
#if defined(__x86_64__) || defined(__i386__)
        {"avx512", dot_avx512_run, has_avx512},
        {"avx2", dot_avx2_run, has_avx2},
#elif defined(__aarch64__)
        {"neon", dot_neon_run, always},
#endif
        {"scalar", scalar, always},
        {NULL, NULL, NULL},
    };
    return kernels;
}

const struct dot_kernel *dot_best(void)
{
    const struct dot_kernel *kernel = dot_kernels();
    while (!kernel->usable())
        kernel++;
    return kernel;
}
