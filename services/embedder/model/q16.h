/* q16: a matrix of weights as 16-bit integers with one scale per column, split in a high
 * and a low byte: w = scale[column] * (256 * high + low). Sixteen bits leave the vectors
 * within 1e-7 of the float model (plain bf16 misses by 1e-4), take half of float's
 * memory, and the two bytes are what AMX multiplies.
 *
 * Bytes stand in tiles of 64 rows by 16 columns, as AMX wants its right operand: row
 * r / 4, then the column, then r % 4. Tiles of one strip of 16 columns follow each
 * other, each as 1,024 high bytes and 1,024 low ones. Rows are padded to 64, columns to
 * 32, with zeros. */
#ifndef EMBEDDER_Q16_H
#define EMBEDDER_Q16_H

#include <stddef.h>
#include <stdint.h>

enum {
    Q16_TILE_ROWS = 64,
    Q16_TILE_COLUMNS = 16,
    Q16_TILE_BYTES = 1024, /* one plane */
    Q16_MAX = 32512,       /* 127 * 256: the high byte stays within -127 … 127 */
};

struct q16 {
    size_t rows;    /* padded */
    size_t columns; /* padded */
    size_t strip; /* bytes from one strip to the next: more than its rows take where this
                     is a part of a larger matrix */
    const float *scale;
    const int8_t *tiles; /* 64-byte aligned */
};

static inline size_t q16_pad_rows(size_t rows)
{
    return (rows + 63) / 64 * 64;
}

static inline size_t q16_pad_columns(size_t columns)
{
    return (columns + 31) / 32 * 32;
}

/* The tile's high plane; the low one follows. */
static inline const int8_t *q16_tile(const struct q16 *w, size_t strip, size_t block)
{
    return w->tiles + strip * w->strip + block * 2 * Q16_TILE_BYTES;
}

/* What a strip's tiles take. */
static inline size_t q16_strip_bytes(size_t rows)
{
    return rows / Q16_TILE_ROWS * 2 * Q16_TILE_BYTES;
}

/* Bytes of scales and tiles for a padded matrix: scales first, then, aligned, tiles. */
size_t q16_bytes(size_t rows, size_t columns);
/* Lay `w` over `data` (64-byte aligned, q16_bytes() of it). */
void q16_view(struct q16 *w, const void *data, size_t rows, size_t columns);
/* Quantise a row-major matrix into `data`, which is zeroed and q16_bytes() long. */
void q16_pack(const float *values, size_t rows, size_t columns, void *data);
/* One value back, for tests and reference. */
float q16_value(const struct q16 *w, size_t row, size_t column);

#endif
