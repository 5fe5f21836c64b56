/* codes: how a vector is stored in the graph, and the inner product with it. Lengths are
 * padded to CODE_STEP components. int8 has one scale a vector; its bytes are offset by
 * 128, so that they are unsigned, and stored as two planes: [high halves][scale,
 * rest][low halves], n / 2 bytes each, where byte i of a plane has component i in its
 * lower four bits and component i + n / 2 in the upper ones. The high plane alone gives a
 * product with a bound, for half of the memory to read. Pure: any thread. */
#ifndef SEARCH_CODES_H
#define SEARCH_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CODE_STEP = 16, CODE_ALIGN = 64 };
enum code_kind { CODE_INT8, CODE_F16, CODE_F32, CODE_KINDS };

/* Sum of query[i] · stored[i]; n is a multiple of CODE_STEP. Stored rows are aligned to
 * CODE_ALIGN bytes and queries too, planes are not. */
typedef int32_t code_int8_fn(const int8_t *query, const uint8_t *high, const uint8_t *low,
                             size_t n);
/* One plane: the halves are 0 to 15. */
typedef int32_t code_plane_fn(const int8_t *query, const uint8_t *plane, size_t n);
typedef float code_f16_fn(const float *query, const uint16_t *stored, size_t n);
typedef float code_f32_fn(const float *query, const float *stored, size_t n);
/* Both planes as bytes without their offset. */
struct code_sums {
    int32_t sum;
    int32_t square; /* 65,536 · 128² fit */
};
typedef struct code_sums code_unpack_fn(const uint8_t *high, const uint8_t *low, size_t n,
                                        int8_t *bytes);
/* Any n, any alignment. */
typedef float code_row_fn(const float *a, const float *b, size_t n);

struct code_kernel {
    const char *name;
    code_int8_fn *int8;
    code_plane_fn *plane;
    code_unpack_fn *unpack;
    code_f16_fn *f16;
    code_f32_fn *f32;
    code_row_fn *row;
    bool (*usable)(void);
};

/* Best first; the last one is always usable. Ended by a NULL name. */
const struct code_kernel *code_kernels(void);
const struct code_kernel *code_best(void);

/* What compares stored vectors of one kind and dimension. */
struct coder {
    enum code_kind kind;
    uint32_t dimension;
    size_t padded; /* components */
    size_t bytes;  /* of a stored vector, a multiple of 8 */
    const struct code_kernel *kernel;
};

/* The left side of a comparison. `data` is aligned, coder_query_bytes() long. */
struct code_query {
    void *data;
    int32_t offset; /* int8: 128 · sum, what the offset of the stored side adds */
    float scale;
    float length; /* int8: of the rounded vector */
};

/* int8: between the planes. */
struct code_middle {
    float scale;
    float rest; /* length of what the high plane leaves out, its mean taken away */
};

/* dimension: 1 to 65,536. */
struct coder coder_make(enum code_kind kind, uint32_t dimension);
size_t coder_query_bytes(const struct coder *coder);
/* Fills `stored` (coder.bytes) from a vector. */
void coder_encode(const struct coder *coder, const float *vector, void *stored);
void coder_query(const struct coder *coder, const float *vector,
                 struct code_query *query);
/* A stored vector as the left side. */
void coder_query_stored(const struct coder *coder, const void *stored,
                        struct code_query *query);

/* int8 only. */
static inline const struct code_middle *code_middle(const struct coder *coder,
                                                    const void *stored)
{
    const void *middle = (const char *)stored + coder->padded / 2;
    return middle;
}

/* int8 only: a product from the high plane alone, which is in the first coder->padded / 2
 * + sizeof(struct code_middle) bytes; coder_product is off it by `error` at most. */
static inline float coder_rough(const struct coder *coder, const struct code_query *query,
                                const void *stored, float *error)
{
    /* 128 is the bytes' offset; the low halves are taken for their mean, 7.5 */
    const float offset = (128 - 7.5F) / 128;
    const struct code_middle *middle = code_middle(coder, stored);
    int32_t sum = coder->kernel->plane(query->data, stored, coder->padded);
    *error = query->length * middle->rest;
    return (16 * (float)sum - offset * (float)query->offset) *
           (query->scale * middle->scale);
}

static inline float coder_product(const struct coder *coder,
                                  const struct code_query *query, const void *stored)
{
    if (coder->kind == CODE_INT8) {
        const struct code_middle *middle = code_middle(coder, stored);
        const void *low = middle + 1;
        int32_t sum = coder->kernel->int8(query->data, stored, low, coder->padded);
        return (float)(sum - query->offset) * (query->scale * middle->scale);
    }
    if (coder->kind == CODE_F16)
        return coder->kernel->f16(query->data, stored, coder->padded);
    return coder->kernel->f32(query->data, stored, coder->padded);
}

#endif
