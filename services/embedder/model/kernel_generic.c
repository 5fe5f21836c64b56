/* Any processor: four lanes, which compilers turn into SSE2, NEON or plain code. */
#define LANES        4
#define TILE_ROWS    4
#define TILE_VECTORS 2
#include "services/embedder/model/kernel_lanes.h"

static bool supported(void)
{
    return true;
}

const struct kernel kernel_generic = {"generic", supported, product, attention,
                                      normalise};
