#include "services/search/meaning/entry_vector.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { MOST = 127 };

void entry_vector_write(struct sh_buffer *out, const float *vector, uint32_t dimension)
{
    float largest = 0;
    float scale;

    for (uint32_t i = 0; i < dimension; i++)
        largest = fmaxf(largest, fabsf(vector[i]));
    scale = largest / (float)MOST;
    sh_buffer_append(out, &scale, sizeof(scale));
    for (uint32_t i = 0; i < dimension; i++) {
        int8_t value = (int8_t)(scale > 0 ? lrintf(vector[i] / scale) : 0);
        sh_buffer_append(out, &value, 1);
    }
}

bool entry_vector_read(struct sh_bytes stored, uint32_t dimension, float *vector)
{
    const int8_t *at;
    float scale;

    if (stored.len != sizeof(scale) + dimension)
        return false;
    memcpy(&scale, stored.data, sizeof(scale));
    at = (const int8_t *)stored.data + sizeof(scale);
    for (uint32_t i = 0; i < dimension; i++)
        vector[i] = scale * (float)at[i];
    return isfinite(scale);
}
