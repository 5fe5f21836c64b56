/* check: what a parsed query means: which variable is which, what names stand for in the
 * graph, and what may stand where. */
#ifndef CYPHER_CHECK_H
#define CYPHER_CHECK_H

#include "services/graph/cypher/env.h"

/* Gives out slots and looks up symbols (env->reader), functions and procedures. Fails
 * with CY_SYNTAX, CY_UNSUPPORTED. */
bool cy_check(struct cy_env *env, struct cy_query *query);

#endif
