/* explain_internal: what explain.c and explain_match.c share. */
#ifndef CYPHER_EXPLAIN_INTERNAL_H
#define CYPHER_EXPLAIN_INTERNAL_H

#include "services/graph/cypher/explain.h"
#include "shared/buffer.h"

struct cy_explainer {
    struct cy_env *env;
    struct sh_buffer words; /* the details of the row that is being written */
    cy_row_fn *row;
    void *arg;
    struct cy_result *result;
};

/* One row; the details are those that were written, and are empty again. False: it
 * failed, or no more rows are wanted. */
bool cy_explain_row(struct cy_explainer *self, const char *operator);
/* The same for conditions, none of which is no row. */
bool cy_explain_filter(struct cy_explainer *self, uint32_t count);
/* The steps of a pattern. */
bool cy_explain_match(struct cy_explainer *self, const struct cy_clause *clause);

#endif
