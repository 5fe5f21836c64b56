/* run: a query from its text to its rows. */
#ifndef CYPHER_RUN_H
#define CYPHER_RUN_H

#include "services/graph/cypher/env.h"

struct cy_result {
    const struct sh_bytes *columns;
    size_t column_count;
    uint64_t row_count; /* given to `row` */
    bool truncated;     /* `row` wanted no more */
};

/* `values`: one by column, good until the call returns (what they point to: as long as
 * the arena and the reader). False: no more rows are wanted. */
typedef bool cy_row_fn(void *arg, const struct cy_value *values, size_t count);

/* The env has reader, arena, parameters and budget; all else is zero. False: env->err and
 * env->error say why. */
bool cy_run(struct cy_env *env, struct sh_bytes text, cy_row_fn *row, void *arg,
            struct cy_result *out);

#endif
