/* match: finds where a pattern fits the graph as the caller may see it. */
#ifndef CYPHER_MATCH_H
#define CYPHER_MATCH_H

#include "services/graph/cypher/env.h"

/* Called for each match with its variables in env->row; false: no more are wanted (or it
 * failed: env->err). */
typedef bool cy_match_fn(struct cy_env *env, void *arg);

/* Each way in which the pattern, and `where` unless NULL, fits what env->row already
 * binds. Variables that are not bound yet get their slots for as long as the call lasts.
 * False: it failed, or the function wanted no more. */
bool cy_match(struct cy_env *env, const struct cy_pattern *pattern,
              const struct cy_expr *where, cy_match_fn *each, void *arg);

#endif
