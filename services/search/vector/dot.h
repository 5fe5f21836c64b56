/* dot: the inner product of two rows, in the fastest way that this processor has. Rows
 * are aligned to DOT_ALIGN bytes and padded with zeros to a multiple of DOT_STEP floats.
 * Any thread. */
#ifndef SEARCH_DOT_H
#define SEARCH_DOT_H

#include <stdbool.h>
#include <stddef.h>

enum { DOT_ALIGN = 64, DOT_STEP = 16 };

typedef float dot_fn(const float *a, const float *b, size_t n);

struct dot_kernel {
    const char *name;
    dot_fn *dot;
    bool (*usable)(void);
};

/* Best first; the last one is always usable. Ended by a NULL name. */
const struct dot_kernel *dot_kernels(void);
/* The first usable one. */
const struct dot_kernel *dot_best(void);

#endif
