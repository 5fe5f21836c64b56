/* results_write: results of an analysis as a property of nodes: a statement for so many
 * at a time, which leaves alone what the caller cannot see any more and what is so
 * already. */
#ifndef GRAPH_RESULTS_WRITE_H
#define GRAPH_RESULTS_WRITE_H

#include "services/graph/analysis/analysis.h"
#include "shared/pg_array.h"

enum { RESULTS_AT_ONCE = 1000, RESULTS_PARAMS = 7 };

struct results_step { /* {0} is empty */
    struct sh_pg_param params[RESULTS_PARAMS];
    struct sh_buffer ids;
    struct sh_buffer values;
    char clearance[12];
    struct sh_pg_step step; /* its first result: as many rows as were changed */
};

/* The step for nodes [first, first + RESULTS_AT_ONCE). Borrows from all of them.
 * results_step_free() ends it, in any case. Errors: SH_NOMEM. */
SH_CHECK enum sh_err results_step_make(const struct analysis *analysis,
                                       const struct caller *caller, uint32_t first,
                                       struct results_step *out);
void results_step_free(struct results_step *step);

#endif
