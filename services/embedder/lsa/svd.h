/* svd: the first right singular vectors of a sparse matrix, by a randomised range finder
 * with power iterations: N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with
 * randomness", SIAM Review 53 (2011), algorithms 4.4 and 5.1. Any thread; CPU-bound. */
#ifndef EMBEDDER_SVD_H
#define EMBEDDER_SVD_H

#include "services/embedder/lsa/matrix.h"

enum {
    SVD_OVERSAMPLING = 10,
    SVD_POWER = 2,
    SVD_SMALL = 20000 /* rows up to which a sketch of three times the rank costs little */
};

struct svd_order {
    const struct matrix *a;
    uint32_t rank;
    uint64_t seed; /* of the sketch: the same, the same result on one machine */
    unsigned threads;
    const atomic_bool *stop; /* may be NULL */
    _Atomic uint32_t *steps; /* counted up to SVD_STEPS; may be NULL */
};

enum { SVD_STEPS = 2 * SVD_POWER + 2 };

/* Fewer than were wanted where the matrix has no more. */
struct svd {
    uint32_t rank;
    float *v;        /* columns × rank, row-major, orthonormal columns; sh_free() */
    float *singular; /* descending; sh_free() */
};

/* Errors: SH_INVALID (nothing in the matrix), SH_NOMEM, SH_CANCELED (stop), SH_INTERNAL
 * (LAPACK gave up). */
SH_CHECK enum sh_err svd_compute(const struct svd_order *order, struct svd *out);
void svd_free(struct svd *svd);
/* What it takes beside the matrix. */
size_t svd_bytes(size_t rows, size_t columns, uint32_t rank);

#endif
