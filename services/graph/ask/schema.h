/* schema: what is in the graph, as far as the caller may see it: labels with counts,
 * property keys and the types of their values; relationship types with counts and the
 * labels that they join. A sum over the tally: nothing is walked. */
#ifndef GRAPH_SCHEMA_H
#define GRAPH_SCHEMA_H

#include "services/graph/ask/question.h"

/* *out lives in `arena` and in the graph. Names longer than a message can carry are left
 * out, lists are cut at what a message can hold. Errors: SH_NOMEM. */
SH_CHECK enum sh_err schema_build(const struct graph_reader *reader,
                                  struct sh_arena *arena, struct graph_schema_reply *out);

#endif
