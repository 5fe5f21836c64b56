#if defined(__x86_64__)
#define LANES        16
#define TILE_ROWS    12
#define TILE_VECTORS 2
#include "services/embedder/model/kernel_lanes.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

const struct kernel kernel_avx512 = {"avx512", supported, product, attention, normalise};
#else
typedef int kernel_avx512_is_for_x86;
#endif
