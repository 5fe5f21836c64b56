/* leg: what one way of searching found: slots with scores, ascending by slot. */
#ifndef SEARCH_LEG_H
#define SEARCH_LEG_H

#include "shared/bytes.h"

struct leg_hit {
    uint32_t slot;
    float score;
};

struct leg {
    struct leg_hit *hits;
    size_t count;
};

#endif
