/* reach: the places that a walk has come to, each once, in the order in which it did,
 * with the step that led there. */
#ifndef GRAPH_REACH_H
#define GRAPH_REACH_H

#include "services/graph/walk/walk.h"

struct reached {
    uint32_t place;
    uint32_t from; /* index of the one before; its own at the start */
    uint32_t depth;
    struct walk_step step; /* from there to here; none at the start */
};

struct reach { /* {0} is empty */
    struct reached *items;
    uint32_t *cells; /* index + 1 by place; 0: empty */
    size_t count;
    size_t capacity;
};

/* SIZE_MAX: it has not come there. */
size_t reach_find(const struct reach *reach, uint32_t place);
/* Not there yet. Errors: SH_NOMEM. */
SH_CHECK enum sh_err reach_add(struct reach *reach, const struct reached *item);
void reach_free(struct reach *reach);

/* A level: from each of items [first, end) all links of the scope. `arrive` is called
 * for each with the index it comes from, and may add to the reach. Anything but SH_OK
 * ends it, and is returned. Errors: SH_CANCELED, SH_TIMEOUT by the budget. */
typedef enum sh_err reach_arrive_fn(void *arg, size_t from, const struct walk_step *step);
SH_CHECK enum sh_err reach_level(const struct walk *walk, const struct reach *reach,
                                 size_t first, size_t end, reach_arrive_fn *arrive,
                                 void *arg);

#endif
