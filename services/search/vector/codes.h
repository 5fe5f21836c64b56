/* codes: how a vector is stored in the graph, and the inner product with it. int8 has one
 * scale a vector; the stored bytes are offset by 128, which is what the processors'
 * unsigned × signed instructions want. Lengths are padded to CODE_STEP components. Pure:
 * any thread. */
#ifndef SEARCH_CODES_H
#define SEARCH_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CODE_STEP = 16, CODE_ALIGN = 64 };
enum code_kind { CODE_INT8, CODE_F16, CODE_F32, CODE_KINDS };

/* Sum of query[i] · stored[i]; n is a multiple of CODE_STEP. Stored rows are aligned to
 * CODE_ALIGN bytes and queries too. */
typedef int32_t code_int8_fn(const int8_t *query, const uint8_t *stored, size_t n);
typedef float code_f16_fn(const float *query, const uint16_t *stored, size_t n);
typedef float code_f32_fn(const float *query, const float *stored, size_t n);
/* Any n, any alignment. */
typedef float code_row_fn(const float *a, const float *b, size_t n);

struct code_kernel {
    const char *name;
    code_int8_fn *int8;
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
    size_t bytes;  /* of a stored vector, a multiple of CODE_STEP */
    const struct code_kernel *kernel;
};

/* The left side of a comparison. `data` is aligned, coder_query_bytes() long. */
struct code_query {
    void *data;
    int32_t offset; /* int8: 128 · sum, what the offset of the stored side adds */
    float scale;
};

/* dimension: 1 to 65,536. */
struct coder coder_make(enum code_kind kind, uint32_t dimension);
size_t coder_query_bytes(const struct coder *coder);
/* Fills `stored` (coder.bytes) from a vector; returns its scale. */
float coder_encode(const struct coder *coder, const float *vector, void *stored);
void coder_query(const struct coder *coder, const float *vector,
                 struct code_query *query);
/* A stored vector as the left side. */
void coder_query_stored(const struct coder *coder, const void *stored, float scale,
                        struct code_query *query);

static inline float coder_product(const struct coder *coder,
                                  const struct code_query *query, const void *stored,
                                  float scale)
{
    if (coder->kind == CODE_INT8) {
        int32_t sum = coder->kernel->int8(query->data, stored, coder->padded);
        return (float)(sum - query->offset) * (query->scale * scale);
    }
    if (coder->kind == CODE_F16)
        return coder->kernel->f16(query->data, stored, coder->padded);
    return coder->kernel->f32(query->data, stored, coder->padded);
}

#endif
