/* explain: how a query would be answered, step by step in the order in which it would be;
 * nothing is looked at, no parameter is needed. */
#ifndef CYPHER_EXPLAIN_H
#define CYPHER_EXPLAIN_H

#include "services/graph/cypher/ast.h"
#include "services/graph/cypher/run.h"

/* The query was checked. As cy_run(): rows of `step`, `operator` and `details`. */
bool cy_explain(struct cy_env *env, const struct cy_query *query, cy_row_fn *row,
                void *arg, struct cy_result *out);

#endif
