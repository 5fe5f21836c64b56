#include "services/embedder/lsa/svd.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>

#include "shared/mem.h"

/* A row-major matrix of n rows and l columns is, column-major, its transpose: the LQ
 * decomposition of that one is the QR decomposition of ours, without a copy. */

static const float TINY = 1e-5f; /* of the largest singular value: that is noise */

struct work {
    const struct svd_order *order;
    size_t rows;
    size_t columns;
    uint32_t width; /* of the sketch */
    float *y;       /* rows × width */
    float *z;       /* columns × width */
    float *tau;     /* width */
    float *lower;   /* width × width, column-major; those of `small` as well */
    float *left;
    float *right; /* transposed */
    float *singular;
};

/* --- the sketch ------------------------------------------------------------------- */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t x = (*state += 0x9e3779b97f4a7c15u);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static double uniform(uint64_t *state)
{
    return ((double)(splitmix(state) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller: two at a time. */
static void fill_gaussian(float *out, size_t count, uint64_t seed)
{
    const double turn = 6.283185307179586;
    for (size_t i = 0; i < count; i += 2) {
        double radius = sqrt(-2 * log(uniform(&seed)));
        double angle = turn * uniform(&seed);
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < count)
            out[i + 1] = (float)(radius * sin(angle));
    }
}

/* --- steps ------------------------------------------------------------------------ */

static enum sh_err of_lapack(lapack_int info)
{
    if (info == 0)
        return SH_OK;
    return info == LAPACK_WORK_MEMORY_ERROR ? SH_NOMEM : SH_INTERNAL;
}

static bool stopped(const struct work *work)
{
    return work->order->stop && atomic_load(work->order->stop);
}

static struct matrix_product product_of(const struct work *work, const float *from,
                                        float *to)
{
    return (struct matrix_product){.a = work->order->a,
                                   .dense = from,
                                   .width = work->width,
                                   .out = to,
                                   .threads = work->order->threads,
                                   .stop = work->order->stop};
}

static enum sh_err multiplied(const struct work *work)
{
    if (work->order->steps)
        atomic_fetch_add(work->order->steps, 1);
    return stopped(work) ? SH_CANCELED : SH_OK;
}

/* Z = Aᵀ Y */
static enum sh_err to_z(const struct work *work)
{
    struct matrix_product product = product_of(work, work->y, work->z);
    matrix_transposed_times(&product);
    return multiplied(work);
}

/* Y = A Z */
static enum sh_err to_y(const struct work *work)
{
    struct matrix_product product = product_of(work, work->z, work->y);
    matrix_times(&product);
    return multiplied(work);
}

static enum sh_err orthonormalise(const struct work *work, float *matrix, size_t rows)
{
    lapack_int n = (lapack_int)rows;
    lapack_int l = (lapack_int)work->width;
    lapack_int info = LAPACKE_sgelqf(LAPACK_COL_MAJOR, l, n, matrix, l, work->tau);
    if (info == 0)
        info = LAPACKE_sorglq(LAPACK_COL_MAJOR, l, n, l, matrix, l, work->tau);
    return of_lapack(info);
}

/* Y becomes an orthonormal basis of what A does to most of the sketch. */
static enum sh_err find_range(const struct work *work)
{
    fill_gaussian(work->z, work->columns * work->width, work->order->seed);
    enum sh_err err = to_y(work);
    if (err == SH_OK)
        err = orthonormalise(work, work->y, work->rows);
    for (int i = 0; err == SH_OK && i < SVD_POWER; i++) {
        err = to_z(work);
        if (err == SH_OK)
            err = orthonormalise(work, work->z, work->columns);
        if (err == SH_OK)
            err = to_y(work);
        if (err == SH_OK)
            err = orthonormalise(work, work->y, work->rows);
    }
    return err;
}

/* Z = (Yᵀ A)ᵀ; column-major that is L times orthonormal rows, which stay in Z. */
static enum sh_err factor(const struct work *work)
{
    size_t l = work->width;
    lapack_int n = (lapack_int)work->columns;
    enum sh_err err = to_z(work);
    if (err == SH_OK)
        err = of_lapack(LAPACKE_sgelqf(LAPACK_COL_MAJOR, (lapack_int)l, n, work->z,
                                       (lapack_int)l, work->tau));
    for (size_t column = 0; err == SH_OK && column < l; column++)
        for (size_t row = column; row < l; row++)
            work->lower[column * l + row] = work->z[column * l + row];
    if (err == SH_OK)
        err = of_lapack(LAPACKE_sorglq(LAPACK_COL_MAJOR, (lapack_int)l, n, (lapack_int)l,
                                       work->z, (lapack_int)l, work->tau));
    if (err == SH_OK)
        err = of_lapack(LAPACKE_sgesdd(LAPACK_COL_MAJOR, 'A', (lapack_int)l,
                                       (lapack_int)l, work->lower, (lapack_int)l,
                                       work->singular, work->left, (lapack_int)l,
                                       work->right, (lapack_int)l));
    return err;
}

static uint32_t rank_of(const struct work *work)
{
    uint32_t rank = 0;
    while (rank < work->width && rank < work->order->rank &&
           work->singular[rank] > TINY * work->singular[0])
        rank++;
    return rank;
}

/* Vᵀ = the first rows of `right` times the orthonormal rows in Z. */
static enum sh_err assemble(struct work *work, struct svd *out)
{
    blasint l = (blasint)work->width;
    out->rank = rank_of(work);
    if (out->rank == 0)
        return SH_INVALID;
    sh_free(work->y); /* the largest; V takes its place */
    work->y = NULL;
    out->v = sh_alloc_array(work->columns, out->rank * sizeof(float));
    if (!out->v)
        return SH_NOMEM;
    cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (blasint)out->rank,
                (blasint)work->columns, l, 1, work->right, l, work->z, l, 0, out->v,
                (blasint)out->rank);
    out->singular = work->singular;
    work->singular = NULL;
    return SH_OK;
}

/* --- all of it -------------------------------------------------------------------- */

static void free_work(struct work *work)
{
    sh_free(work->y);
    sh_free(work->z);
    sh_free(work->tau);
    sh_free(work->lower);
    sh_free(work->left);
    sh_free(work->right);
    sh_free(work->singular);
}

static bool make_work(struct work *work)
{
    size_t width = work->width;
    work->y = sh_alloc_array(work->rows, width * sizeof(float));
    work->z = sh_alloc_array(work->columns, width * sizeof(float));
    work->tau = sh_alloc_array(width, sizeof(float));
    work->lower = sh_alloc_array(width, width * sizeof(float));
    work->left = sh_alloc_array(width, width * sizeof(float));
    work->right = sh_alloc_array(width, width * sizeof(float));
    work->singular = sh_alloc_array(width, sizeof(float));
    return work->y && work->z && work->tau && work->lower && work->left && work->right &&
           work->singular;
}

static uint32_t width_of(size_t rows, size_t columns, uint32_t rank)
{
    size_t width = (size_t)rank + (rows <= SVD_SMALL ? 2 * rank : SVD_OVERSAMPLING);
    width = width < rows ? width : rows;
    return (uint32_t)(width < columns ? width : columns);
}

enum sh_err svd_compute(const struct svd_order *order, struct svd *out)
{
    const struct matrix *a = order->a;
    struct work work = {.order = order,
                        .rows = a->rows,
                        .columns = a->columns,
                        .width = width_of(a->rows, a->columns, order->rank)};
    *out = (struct svd){0};
    if (work.width == 0 || order->rank == 0 || a->rows > INT32_MAX ||
        a->columns > INT32_MAX || matrix_values(a) == 0)
        return SH_INVALID;
    /* One thread: the same bits whatever the load, and no pool of threads that spins. */
    openblas_set_num_threads(1);
    enum sh_err err = make_work(&work) ? SH_OK : SH_NOMEM;
    if (err == SH_OK)
        err = find_range(&work);
    if (err == SH_OK)
        err = factor(&work);
    if (err == SH_OK)
        err = assemble(&work, out);
    free_work(&work);
    if (err != SH_OK)
        svd_free(out);
    return err;
}

void svd_free(struct svd *svd)
{
    sh_free(svd->v);
    sh_free(svd->singular);
    *svd = (struct svd){0};
}

size_t svd_bytes(size_t rows, size_t columns, uint32_t rank)
{
    size_t width = width_of(rows, columns, rank);
    size_t both = (rows > columns ? rows : columns) + columns;
    return both * width * sizeof(float);
}
