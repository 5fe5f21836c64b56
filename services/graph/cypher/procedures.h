/* procedures: what CALL can call. */
#ifndef CYPHER_PROCEDURES_H
#define CYPHER_PROCEDURES_H

#include "services/graph/cypher/env.h"

enum { CY_FIELDS_MAX = 8 }; /* of a row of a procedure */

/* One row of it; false: stop. */
typedef bool cy_procedure_row_fn(void *arg, const struct cy_value *values);

struct cy_procedure {
    const char *name;
    const char *fields[CY_FIELDS_MAX]; /* in the order of the values */
    uint32_t field_count;
    /* False: it failed, or `row` wanted no more. */
    bool (*run)(struct cy_env *env, cy_procedure_row_fn *row, void *arg);
};

/* In whatever case. NULL: there is none of that name. None takes arguments. */
const struct cy_procedure *cy_procedure_find(struct sh_bytes name);

/* procedures_schema.c: what there is, of what the reader may see. */
bool cy_run_node_properties(struct cy_env *env, cy_procedure_row_fn *row, void *arg);
bool cy_run_type_properties(struct cy_env *env, cy_procedure_row_fn *row, void *arg);
bool cy_run_visualization(struct cy_env *env, cy_procedure_row_fn *row, void *arg);
bool cy_run_indexes(struct cy_env *env, cy_procedure_row_fn *row, void *arg);

#endif
