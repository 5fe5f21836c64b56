/* codes_internal: the kernels, one source each, and half-precision numbers; what another
 * architecture has is left out there. */
#ifndef SEARCH_CODES_INTERNAL_H
#define SEARCH_CODES_INTERNAL_H

#include "services/search/vector/codes.h"

code_int8_fn code_int8_vnni;
code_int8_fn code_int8_avx2;
code_int8_fn code_int8_neon;
code_plane_fn code_plane_vnni;
code_plane_fn code_plane_avx2;
code_plane_fn code_plane_neon;
code_unpack_fn code_unpack_vnni;
code_unpack_fn code_unpack_avx2;
code_f16_fn code_f16_avx512;
code_f16_fn code_f16_avx2;
code_f16_fn code_f16_neon;
code_row_fn code_row_avx512;
code_row_fn code_row_avx2;
code_row_fn code_row_neon;

/* Two bytes of the planes, where they do not fill a register. */
static inline void code_unpack_pair(uint8_t high, uint8_t low, int8_t *lower,
                                    int8_t *upper, struct code_sums *sums)
{
    int32_t left = (high & 15) * 16 + (low & 15) - 128;
    int32_t right = (high & 0xf0) + (low >> 4) - 128;
    *lower = (int8_t)left;
    *upper = (int8_t)right;
    sums->sum += left + right;
    sums->square += left * left + right * right;
}

/* IEEE 754 binary16, to nearest even; what is too large becomes infinite. */
uint16_t half_from_float(float value);
float half_to_float(uint16_t half);

#endif
