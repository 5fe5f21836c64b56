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
code_f16_fn code_f16_avx512;
code_f16_fn code_f16_avx2;
code_f16_fn code_f16_neon;
code_row_fn code_row_avx512;
code_row_fn code_row_avx2;
code_row_fn code_row_neon;

/* IEEE 754 binary16, to nearest even; what is too large becomes infinite. */
uint16_t half_from_float(float value);
float half_to_float(uint16_t half);

#endif
