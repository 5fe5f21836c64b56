#if defined(__x86_64__)
#define LANES        8
#define TILE_ROWS    6
#define TILE_VECTORS 2
#include "services/embedder/model/kernel_lanes.h"

static bool supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const struct kernel kernel_avx2 = {"avx2", supported, product, attention, normalise};
#else
typedef int kernel_avx2_is_for_x86;
#endif
