/* functions_internal: what the files of functions share: each of them has a table. */
#ifndef CYPHER_FUNCTIONS_INTERNAL_H
#define CYPHER_FUNCTIONS_INTERNAL_H

#include "services/graph/cypher/functions.h"

struct cy_function_table {
    const struct cy_function *functions;
    size_t count;
};

/* functions_graph.c: entities and paths */
extern const struct cy_function_table functions_graph;
/* functions_list.c: lists and maps */
extern const struct cy_function_table functions_list;
/* functions_text.c: strings */
extern const struct cy_function_table functions_text;
/* functions_math.c: numbers */
extern const struct cy_function_table functions_math;
/* functions_convert.c: from one type to another */
extern const struct cy_function_table functions_convert;
/* functions_temporal.c: dates, times and durations */
extern const struct cy_function_table functions_temporal;
/* aggregate.c */
extern const struct cy_function_table functions_aggregate;

#endif
