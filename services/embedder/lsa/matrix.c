#include "services/embedder/lsa/matrix.h"

#include <string.h>

#include "services/embedder/lsa/parallel.h"
#include "shared/mem.h"

/* Stopping is looked at after so many rows. */
enum { ROWS_AT_ONCE = 1024 };

/* --- rows ------------------------------------------------------------------------- */

/* By half, so that what is not used stays small beside what is. */
static size_t grown(size_t room, size_t wanted)
{
    room += room / 2 + 1024;
    return room > wanted ? room : wanted;
}

static enum sh_err reserve_row(struct matrix *self)
{
    if (self->starts && self->rows + 2 <= self->rows_room)
        return SH_OK;
    size_t room = grown(self->rows_room, self->rows + 2);
    size_t *starts = sh_realloc(self->starts, room * sizeof(*starts));
    if (!starts)
        return SH_NOMEM;
    if (!self->starts)
        starts[0] = 0;
    self->starts = starts;
    self->rows_room = room;
    return SH_OK;
}

static enum sh_err reserve_values(struct matrix *self, size_t count)
{
    size_t wanted = matrix_values(self) + count;
    if (wanted <= self->room)
        return SH_OK;
    size_t room = grown(self->room, wanted);
    uint32_t *column = sh_realloc(self->column, room * sizeof(*column));
    if (!column)
        return SH_NOMEM;
    self->column = column;
    float *value = sh_realloc(self->value, room * sizeof(*value));
    if (!value)
        return SH_NOMEM;
    self->value = value;
    self->room = room;
    return SH_OK;
}

enum sh_err matrix_add(struct matrix *self, const uint32_t *columns, const float *values,
                       size_t count)
{
    enum sh_err err = reserve_row(self);
    if (err == SH_OK)
        err = reserve_values(self, count);
    if (err != SH_OK)
        return err;
    size_t at = self->starts[self->rows];
    if (count > 0) {
        memcpy(self->column + at, columns, count * sizeof(*columns));
        memcpy(self->value + at, values, count * sizeof(*values));
    }
    self->starts[++self->rows] = at + count;
    return SH_OK;
}

size_t matrix_values(const struct matrix *self)
{
    return self->starts ? self->starts[self->rows] : 0;
}

size_t matrix_bytes(const struct matrix *self)
{
    return self->rows_room * sizeof(*self->starts) +
           self->room * (sizeof(*self->column) + sizeof(*self->value));
}

void matrix_free(struct matrix *self)
{
    sh_free(self->starts);
    sh_free(self->column);
    sh_free(self->value);
    *self = (struct matrix){0};
}

/* --- products --------------------------------------------------------------------- */

static void add_scaled(float *restrict to, const float *restrict from, float scale,
                       size_t width)
{
    for (size_t i = 0; i < width; i++)
        to[i] += scale * from[i];
}

static bool stopped(const struct matrix_product *product)
{
    return product->stop && atomic_load_explicit(product->stop, memory_order_relaxed);
}

/* A slice of the rows. */
static void times_slice(const struct parallel_slice *slice)
{
    const struct matrix_product *product = slice->arg;
    const struct matrix *a = product->a;
    size_t width = product->width;
    for (size_t row = slice->first; row < slice->end; row++) {
        float *out = product->out + row * width;
        if (row % ROWS_AT_ONCE == 0 && stopped(product))
            return;
        memset(out, 0, width * sizeof(*out));
        for (size_t i = a->starts[row]; i < a->starts[row + 1]; i++)
            add_scaled(out, product->dense + a->column[i] * width, a->value[i], width);
    }
}

void matrix_times(const struct matrix_product *product)
{
    struct matrix_product copy = *product;
    parallel_run(product->threads, product->a->rows, times_slice, &copy);
}

/* A slice of the dense columns, so that no two threads write the same sum. */
static void transposed_slice(const struct parallel_slice *slice)
{
    const struct matrix_product *product = slice->arg;
    const struct matrix *a = product->a;
    size_t width = product->width;
    size_t wide = slice->end - slice->first;
    for (size_t column = 0; column < a->columns; column++)
        memset(product->out + column * width + slice->first, 0, wide * sizeof(float));
    for (size_t row = 0; row < a->rows; row++) {
        const float *from = product->dense + row * width + slice->first;
        if (row % ROWS_AT_ONCE == 0 && stopped(product))
            return;
        for (size_t i = a->starts[row]; i < a->starts[row + 1]; i++)
            add_scaled(product->out + a->column[i] * width + slice->first, from,
                       a->value[i], wide);
    }
}

void matrix_transposed_times(const struct matrix_product *product)
{
    struct matrix_product copy = *product;
    parallel_run(product->threads, product->width, transposed_slice, &copy);
}
