/* dot_internal: the kernels, one source each; what another architecture has is left out
 * there. */
#ifndef SEARCH_DOT_INTERNAL_H
#define SEARCH_DOT_INTERNAL_H

#include "services/search/vector/dot.h"

dot_fn dot_avx512_run;
dot_fn dot_avx2_run;
dot_fn dot_neon_run;

#endif
