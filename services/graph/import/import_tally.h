/* import_tally: what became of an import's records so far: the cursor of its job while it
 * runs, its result at the end. Pure. */
#ifndef GRAPH_IMPORT_TALLY_H
#define GRAPH_IMPORT_TALLY_H

#include <jansson.h>

#include "services/graph/store/store.h"

enum { IMPORT_ERRORS_MAX = 100 }; /* that are told; all are counted */

struct import_tally { /* {0} is empty; import_tally_free() in any case */
    uint64_t number;  /* of the portion that comes next */
    uint64_t created;
    uint64_t replaced;
    uint64_t unchanged;
    uint64_t failed;
    json_t *errors; /* {"item","code","error","field"?} */
};

/* From a cursor, or from what the job says of its upload; nonsense leaves it empty. */
void import_tally_read(struct import_tally *self, const json_t *from);
/* A portion was stored. */
void import_tally_add(struct import_tally *self, const struct graph_put *put,
                      const struct stored *stored);
/* Records that are over. */
static inline uint64_t import_tally_done(const struct import_tally *self)
{
    return self->created + self->replaced + self->unchanged;
}
/* JSON, by free(); NULL: out of memory. */
char *import_tally_text(const struct import_tally *self);
void import_tally_free(struct import_tally *self);

#endif
