#include "services/embedder/model/kernel.h"

#include <string.h>

static const struct kernel *const kernels[] = {
#if defined(__x86_64__)
    &kernel_amx,     &kernel_vnni, &kernel_avx512, &kernel_avx2,
#endif
    &kernel_generic, NULL,
};

const struct kernel *const *kernel_all(void)
{
    return kernels;
}

const struct kernel *kernel_find(const char *name)
{
    for (size_t i = 0; kernels[i]; i++) {
        bool wanted = strcmp(name, "auto") == 0 || strcmp(name, kernels[i]->name) == 0;
        if (wanted && kernels[i]->supported())
            return kernels[i];
    }
    return NULL;
}

size_t kernel_scratch_bytes(size_t m)
{
    size_t rows = (m + 31) / 32 * 32;
    size_t strip = (size_t)KERNEL_DEPTH_MAX * 32 * sizeof(float);
    /* two bytes each; of a row its scale and two sums */
    size_t quantised = rows * ((size_t)KERNEL_DEPTH_MAX * 2 + 3 * sizeof(float));
    /* a strip of keys, one of values, scores */
    size_t attention =
        (size_t)3 * KERNEL_SEQUENCE_MAX * KERNEL_SEQUENCE_MAX * sizeof(float);
    size_t most = strip > quantised ? strip : quantised;
    return (most > attention ? most : attention) + 4096;
}
