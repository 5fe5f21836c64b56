#include "services/embedder/model/q16.h"

#include <math.h>

static size_t scale_bytes(size_t columns)
{
    return (columns * sizeof(float) + 63) / 64 * 64;
}

size_t q16_bytes(size_t rows, size_t columns)
{
    return scale_bytes(columns) + rows * columns * 2;
}

void q16_view(struct q16 *w, const void *data, size_t rows, size_t columns)
{
    w->rows = rows;
    w->columns = columns;
    w->strip = q16_strip_bytes(rows);
    w->scale = data;
    w->tiles = (const int8_t *)data + scale_bytes(columns);
}

static size_t place(size_t strip, size_t row, size_t column)
{
    size_t in = row % Q16_TILE_ROWS;
    return column / Q16_TILE_COLUMNS * strip + row / Q16_TILE_ROWS * 2 * Q16_TILE_BYTES +
           in / 4 * 64 + column % Q16_TILE_COLUMNS * 4 + in % 4;
}

static float column_scale(const float *values, size_t rows, size_t columns, size_t column)
{
    float most = 0;
    for (size_t r = 0; r < rows; r++)
        most = fmaxf(most, fabsf(values[r * columns + column]));
    return most / Q16_MAX;
}

void q16_pack(const float *values, size_t rows, size_t columns, void *data)
{
    size_t strip = q16_strip_bytes(q16_pad_rows(rows));
    float *scale = data;
    int8_t *tiles = (int8_t *)data + scale_bytes(q16_pad_columns(columns));

    for (size_t c = 0; c < columns; c++) {
        scale[c] = column_scale(values, rows, columns, c);
        float inverse = scale[c] > 0 ? 1 / scale[c] : 0;
        for (size_t r = 0; r < rows; r++) {
            long q = lrintf(values[r * columns + c] * inverse);
            long high = (q + 32896) / 256 - 128; /* rounds to the nearest high byte */
            size_t at = place(strip, r, c);
            tiles[at] = (int8_t)high;
            tiles[at + Q16_TILE_BYTES] = (int8_t)(q - high * 256);
        }
    }
}

float q16_value(const struct q16 *w, size_t row, size_t column)
{
    size_t at = place(w->strip, row, column);
    return w->scale[column] * (float)(w->tiles[at] * 256 + w->tiles[at + Q16_TILE_BYTES]);
}
