/* functions: what a query can call, by name, whatever the case of its letters; and the
 * aggregates. */
#ifndef CYPHER_FUNCTIONS_H
#define CYPHER_FUNCTIONS_H

#include "services/graph/cypher/eval.h"

/* `call` is the CY_CALL, for places of errors; `arguments` are as many as it has items.
 */
typedef bool cy_function_fn(struct cy_env *env, const struct cy_expr *call,
                            const struct cy_value *arguments, struct cy_value *out);

struct cy_function {
    const char *name; /* as openCypher writes it */
    uint32_t least;   /* arguments */
    uint32_t most;
    bool nulls;      /* it wants to see null; others are null of any null */
    bool aggregates; /* `call` is NULL; see below */
    cy_function_fn *call;
};

/* NULL: there is none of that name. */
const struct cy_function *cy_function_find(struct sh_bytes name);

/* Fails: this argument has the wrong type, or the wrong value. Always false. */
bool cy_bad_type(struct cy_env *env, const struct cy_expr *call, struct cy_value value);
__attribute__((format(printf, 3, 4))) bool
cy_bad_value(struct cy_env *env, const struct cy_expr *call, const char *format, ...);

/* --- aggregates ------------------------------------------------------------------- */

struct cy_aggregate;

/* Of no rows yet. `expr` is a CY_AGGREGATE, borrowed. NULL: failed. */
struct cy_aggregate *cy_aggregate_begin(struct cy_env *env, const struct cy_expr *expr);
/* Takes env->row in. */
bool cy_aggregate_add(struct cy_env *env, struct cy_aggregate *aggregate);
bool cy_aggregate_end(struct cy_env *env, struct cy_aggregate *aggregate,
                      struct cy_value *out);

#endif
