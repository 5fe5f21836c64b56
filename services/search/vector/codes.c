#include "services/search/vector/codes.h"

#include <math.h>
#include <string.h>

#include "services/search/vector/codes_internal.h"
#include "services/search/vector/dot_internal.h"

static int32_t int8_scalar(const int8_t *query, const uint8_t *stored, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += query[i] * stored[i];
    return sum;
}

static float f16_scalar(const float *query, const uint16_t *stored, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += query[i] * half_to_float(stored[i]);
    return sum;
}

static float f32_scalar(const float *query, const float *stored, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += query[i] * stored[i];
    return sum;
}

static bool always(void)
{
    return true;
}

#if defined(__x86_64__) || defined(__i386__)
static bool has_vnni(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

static bool has_avx2(void)
{
    /* none has avx2 without f16c, which not every compiler can ask for */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

const struct code_kernel *code_kernels(void)
{
    static const struct code_kernel kernels[] = {
#if defined(__x86_64__) || defined(__i386__)
        {"avx512vnni", code_int8_vnni, code_f16_avx512, dot_avx512_run, code_row_avx512,
         has_vnni},
        {"avx2", code_int8_avx2, code_f16_avx2, dot_avx2_run, code_row_avx2, has_avx2},
#elif defined(__aarch64__)
        {"neon", code_int8_neon, code_f16_neon, dot_neon_run, code_row_neon, always},
#endif
        {"scalar", int8_scalar, f16_scalar, f32_scalar, f32_scalar, always},
        {NULL, NULL, NULL, NULL, NULL, NULL},
    };
    return kernels;
}

const struct code_kernel *code_best(void)
{
    const struct code_kernel *kernel = code_kernels();
    while (!kernel->usable())
        kernel++;
    return kernel;
}

struct coder coder_make(enum code_kind kind, uint32_t dimension)
{
    static const size_t sizes[CODE_KINDS] = {1, sizeof(uint16_t), sizeof(float)};
    size_t padded = ((size_t)dimension + CODE_STEP - 1) / CODE_STEP * CODE_STEP;
    return (struct coder){kind, dimension, padded, padded * sizes[kind], code_best()};
}

size_t coder_query_bytes(const struct coder *coder)
{
    size_t one = coder->kind == CODE_INT8 ? 1 : sizeof(float);
    return (coder->padded * one + CODE_ALIGN - 1) / CODE_ALIGN * CODE_ALIGN;
}

/* The greatest component becomes 127. */
static float int8_scale(const float *vector, uint32_t dimension)
{
    float most = 0;
    for (uint32_t i = 0; i < dimension; i++)
        most = fmaxf(most, fabsf(vector[i]));
    return most > 0 ? most / 127 : 1;
}

float coder_encode(const struct coder *coder, const float *vector, void *stored)
{
    uint8_t *bytes = stored;
    uint16_t *halves = stored;
    if (coder->kind == CODE_INT8) {
        float scale = int8_scale(vector, coder->dimension);
        memset(stored, 128, coder->bytes);
        for (uint32_t i = 0; i < coder->dimension; i++)
            bytes[i] = (uint8_t)(lrintf(vector[i] / scale) + 128);
        return scale;
    }
    memset(stored, 0, coder->bytes);
    if (coder->kind == CODE_F32)
        memcpy(stored, vector, coder->dimension * sizeof(float));
    for (uint32_t i = 0; coder->kind == CODE_F16 && i < coder->dimension; i++)
        halves[i] = half_from_float(vector[i]);
    return 1;
}

void coder_query(const struct coder *coder, const float *vector, struct code_query *query)
{
    int8_t *bytes = query->data;
    int32_t sum = 0;
    memset(query->data, 0, coder_query_bytes(coder));
    query->scale = 1;
    query->offset = 0;
    if (coder->kind != CODE_INT8) {
        memcpy(query->data, vector, coder->dimension * sizeof(float));
        return;
    }
    query->scale = int8_scale(vector, coder->dimension);
    for (uint32_t i = 0; i < coder->dimension; i++) {
        bytes[i] = (int8_t)lrintf(vector[i] / query->scale);
        sum += bytes[i];
    }
    query->offset = 128 * sum;
}

void coder_query_stored(const struct coder *coder, const void *stored, float scale,
                        struct code_query *query)
{
    const uint8_t *from = stored;
    const uint16_t *halves = stored;
    int8_t *bytes = query->data;
    float *floats = query->data;
    query->scale = scale;
    query->offset = 0;
    if (coder->kind == CODE_F32)
        memcpy(query->data, stored, coder->bytes);
    for (size_t i = 0; coder->kind == CODE_F16 && i < coder->padded; i++)
        floats[i] = half_to_float(halves[i]);
    if (coder->kind != CODE_INT8)
        return;
    int32_t sum = 0;
    for (size_t i = 0; i < coder->padded; i++) {
        int value = from[i] - 128;
        bytes[i] = (int8_t)value;
        sum += value;
    }
    query->offset = 128 * sum;
}
