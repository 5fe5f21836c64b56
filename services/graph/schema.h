/* schema: what is in the graph: labels with counts, property keys and their types;
 * relationship types with counts and the labels that they join. */
#ifndef GRAPH_SCHEMA_H
#define GRAPH_SCHEMA_H

#include "proto/msg.h"
#include "shared/pg.h"
#include "shared/rpc_server.h"

enum { SCHEMA_STEPS = 5 };

/* The questions to the record, in the order in which schema_build() wants the answers. */
const struct sh_pg_step *schema_steps(void);
/* *out lives in `arena` and in the results. Errors: SH_NOMEM. */
SH_CHECK enum sh_err schema_build(PGresult *const *results, struct sh_arena *arena,
                                  struct graph_schema_reply *out);

/* METHOD_GRAPH_SCHEMA; `arg` is the struct sh_pg. Loop thread only. */
void schema_handle(void *arg, struct sh_rpc_call *call);

#endif
