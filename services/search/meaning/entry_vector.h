/* entry_vector: a vector as it is stored: its scale, and a byte for each number. Pure. */
#ifndef SEARCH_ENTRY_VECTOR_H
#define SEARCH_ENTRY_VECTOR_H

#include "shared/buffer.h"

/* Appends it; errors stick in `out`. */
void entry_vector_write(struct sh_buffer *out, const float *vector, uint32_t dimension);
/* False: it is of another dimension. */
bool entry_vector_read(struct sh_bytes stored, uint32_t dimension, float *vector);

#endif
