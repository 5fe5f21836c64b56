#include "services/search/vector/codes.h"

#include <math.h>
#include <string.h>

#include "services/search/vector/codes_internal.h"
#include "services/search/vector/dot_internal.h"

static int32_t plane_scalar(const int8_t *query, const uint8_t *plane, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n / 2; i++)
        sum += query[i] * (plane[i] & 15) + query[i + n / 2] * (plane[i] >> 4);
    return sum;
}

static int32_t int8_scalar(const int8_t *query, const uint8_t *high, const uint8_t *low,
                           size_t n)
{
    return 16 * plane_scalar(query, high, n) + plane_scalar(query, low, n);
}

static struct code_sums unpack_scalar(const uint8_t *high, const uint8_t *low, size_t n,
                                      int8_t *bytes)
{
    struct code_sums sums = {0, 0};
    for (size_t i = 0; i < n / 2; i++)
        code_unpack_pair(high[i], low[i], &bytes[i], &bytes[i + n / 2], &sums);
    return sums;
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
        {"avx512vnni", code_int8_vnni, code_plane_vnni, code_unpack_vnni, code_f16_avx512,
         dot_avx512_run, code_row_avx512, has_vnni},
        {"avx2", code_int8_avx2, code_plane_avx2, code_unpack_avx2, code_f16_avx2,
         dot_avx2_run, code_row_avx2, has_avx2},
#elif defined(__aarch64__)
        {"neon", code_int8_neon, code_plane_neon, unpack_scalar, code_f16_neon,
         dot_neon_run, code_row_neon, always},
#endif
        {"scalar", int8_scalar, plane_scalar, unpack_scalar, f16_scalar, f32_scalar,
         f32_scalar, always},
        {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
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
    size_t middle = kind == CODE_INT8 ? sizeof(struct code_middle) : 0;
    return (struct coder){kind, dimension, padded, padded * sizes[kind] + middle,
                          code_best()};
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

/* Of component i; the plane was zeroed. */
static void put_half(uint8_t *plane, size_t i, size_t n, unsigned half)
{
    if (i < n / 2)
        plane[i] = (uint8_t)(plane[i] | half);
    else
        plane[i - n / 2] = (uint8_t)(plane[i - n / 2] | half << 4);
}

static void encode_int8(const struct coder *coder, const float *vector, void *stored)
{
    uint8_t *high = stored;
    uint8_t *low = high + coder->padded / 2 + sizeof(struct code_middle);
    struct code_middle middle = {.scale = int8_scale(vector, coder->dimension)};
    float square = 0;
    memset(stored, 0, coder->bytes);
    for (uint32_t i = 0; i < coder->dimension; i++) {
        unsigned byte = (unsigned)(lrintf(vector[i] / middle.scale) + 128);
        float rest = (float)(byte & 15) - 7.5F;
        put_half(high, i, coder->padded, byte >> 4);
        put_half(low, i, coder->padded, byte & 15);
        square += rest * rest;
    }
    /* and a little for the arithmetic */
    middle.rest = sqrtf(square) * middle.scale * 1.0001F;
    memcpy(high + coder->padded / 2, &middle, sizeof(middle));
}

void coder_encode(const struct coder *coder, const float *vector, void *stored)
{
    uint16_t *halves = stored;
    if (coder->kind == CODE_INT8) {
        encode_int8(coder, vector, stored);
        return;
    }
    memset(stored, 0, coder->bytes);
    if (coder->kind == CODE_F32)
        memcpy(stored, vector, coder->dimension * sizeof(float));
    for (uint32_t i = 0; coder->kind == CODE_F16 && i < coder->dimension; i++)
        halves[i] = half_from_float(vector[i]);
}

/* The bytes are there: what goes with them. */
static void finish_int8(struct code_sums sums, float scale, struct code_query *query)
{
    query->offset = 128 * sums.sum;
    query->scale = scale;
    query->length = sqrtf((float)sums.square) * scale * 1.0001F;
}

void coder_query(const struct coder *coder, const float *vector, struct code_query *query)
{
    int8_t *bytes = query->data;
    memset(query->data, 0, coder_query_bytes(coder));
    query->scale = 1;
    if (coder->kind != CODE_INT8) {
        memcpy(query->data, vector, coder->dimension * sizeof(float));
        return;
    }
    float scale = int8_scale(vector, coder->dimension);
    struct code_sums sums = {0, 0};
    for (uint32_t i = 0; i < coder->dimension; i++) {
        bytes[i] = (int8_t)lrintf(vector[i] / scale);
        sums.sum += bytes[i];
        sums.square += bytes[i] * bytes[i];
    }
    finish_int8(sums, scale, query);
}

static void query_int8(const struct coder *coder, const void *stored,
                       struct code_query *query)
{
    const struct code_middle *middle = code_middle(coder, stored);
    const uint8_t *high = stored;
    const uint8_t *low = high + coder->padded / 2 + sizeof(*middle);
    int8_t *bytes = query->data;
    struct code_sums sums = coder->kernel->unpack(high, low, coder->padded, bytes);
    for (size_t i = coder->dimension; i < coder->padded; i++) {
        sums.sum -= bytes[i];
        sums.square -= bytes[i] * bytes[i];
        bytes[i] = 0;
    }
    finish_int8(sums, middle->scale, query);
}

void coder_query_stored(const struct coder *coder, const void *stored,
                        struct code_query *query)
{
    const uint16_t *halves = stored;
    float *floats = query->data;
    query->scale = 1;
    query->offset = 0;
    if (coder->kind == CODE_INT8)
        query_int8(coder, stored, query);
    if (coder->kind == CODE_F32)
        memcpy(query->data, stored, coder->bytes);
    for (size_t i = 0; coder->kind == CODE_F16 && i < coder->padded; i++)
        floats[i] = half_to_float(halves[i]);
}
