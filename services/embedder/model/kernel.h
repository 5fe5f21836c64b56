/* kernel: the arithmetic of the built-in model, once per instruction set. All agree to
 * about 1e-5 relative; the best that the processor has is chosen at run time. Any thread;
 * a scratch area belongs to one caller at a time. */
#ifndef EMBEDDER_KERNEL_H
#define EMBEDDER_KERNEL_H

#include <stdbool.h>

#include "services/embedder/model/q16.h"

enum kernel_op { KERNEL_SET, KERNEL_RELU, KERNEL_ADD };

/* c = op(a · w + bias): a is m × w->rows floats in rows of `lda`, c gets w->columns. */
struct kernel_product {
    const struct q16 *w;
    const float *bias; /* w->columns, or NULL */
    const float *a;
    size_t lda;
    size_t m;
    float *c;
    size_t ldc;
    enum kernel_op op; /* KERNEL_ADD adds to what c holds */
    void *scratch;     /* kernel_scratch_bytes(), 64-byte aligned */
};

/* Self-attention of one sequence: qkv is n rows of 3 × heads × width floats. */
struct kernel_attention {
    const float *qkv;
    size_t n; /* at most KERNEL_SEQUENCE_MAX */
    size_t heads;
    size_t width; /* of a head: a multiple of 64, at most 128 */
    float *out;   /* n rows of heads × width */
    void *scratch;
};

enum { KERNEL_SEQUENCE_MAX = 128, KERNEL_DEPTH_MAX = 1536 };

struct kernel {
    const char *name;
    bool (*supported)(void);
    void (*product)(const struct kernel_product *product);
    void (*attention)(const struct kernel_attention *attention);
    /* out = (x - mean) / deviation * scale + bias, for each of n rows */
    void (*normalise)(const float *x, const float *scale, const float *bias, float *out,
                      size_t n, size_t width);
};

/* What any product of at most m rows, or an attention, needs. */
size_t kernel_scratch_bytes(size_t m);

/* Best first, ended by NULL; not all are supported here. */
const struct kernel *const *kernel_all(void);
/* "auto" or a name; NULL when unknown or not supported on this processor. */
const struct kernel *kernel_find(const char *name);

extern const struct kernel kernel_generic;
#if defined(__x86_64__)
extern const struct kernel kernel_avx2;
extern const struct kernel kernel_avx512;
extern const struct kernel kernel_vnni;
extern const struct kernel kernel_amx;
#endif

#endif
