/* eval: expressions, in a row of variables (env->row) and the graph as the caller may see
 * it. Three truths: what is unknown is null. Functions that return bool fail as env.h
 * says. Values lie in the arena of the query. */
#ifndef CYPHER_EVAL_H
#define CYPHER_EVAL_H

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/value.h"

/* An aggregate's value is taken from its slot: who groups has put it there. */
bool cy_eval(struct cy_env *env, const struct cy_expr *expr, struct cy_value *out);
/* Of a condition: null does not hold. Fails on what is neither a boolean nor null. NULL
 * holds. */
bool cy_holds(struct cy_env *env, const struct cy_expr *expr, bool *holds);

#endif
