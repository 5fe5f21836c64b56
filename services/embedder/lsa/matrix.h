/* matrix: sparse rows times dense columns. A row is a text, a column a term. Dense
 * matrices are row-major. The sums are the same whatever the number of threads. */
#ifndef EMBEDDER_MATRIX_H
#define EMBEDDER_MATRIX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

struct matrix { /* compressed rows; {0} is empty */
    size_t rows;
    size_t columns;
    size_t *starts; /* rows + 1; NULL when there is none */
    uint32_t *column;
    float *value;
    size_t rows_room;
    size_t room; /* of column and value */
};

/* A row of its own, behind the others; columns ascend. Errors: SH_NOMEM. */
SH_CHECK enum sh_err matrix_add(struct matrix *self, const uint32_t *columns,
                                const float *values, size_t count);
size_t matrix_values(const struct matrix *self);
size_t matrix_bytes(const struct matrix *self);
void matrix_free(struct matrix *self);

struct matrix_product {
    const struct matrix *a;
    const float *dense;
    size_t width; /* columns of `dense` and `out` */
    float *out;
    unsigned threads;
    const atomic_bool *stop; /* true: `out` may be left as it is */
};

/* out = a × dense: a->columns × width to a->rows × width. */
void matrix_times(const struct matrix_product *product);
/* out = aᵀ × dense: a->rows × width to a->columns × width. */
void matrix_transposed_times(const struct matrix_product *product);

#endif
